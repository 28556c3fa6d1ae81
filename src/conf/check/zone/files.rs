//! Files of zones: which need one, and that one which is written belongs to a single zone.

use hashbrown::HashMap;

use super::Zone;
use super::signing::says_yes;
use crate::conf::check::{Context, named};
use crate::conf::lexer::Place;
use crate::conf::table::ZoneType;
use crate::conf::tree::{Block, Node};

/// Databases that are kept in a file.
const FILE_DATABASES: [&str; 2] = ["rbt", "rbt64"];

/// Files that zones use so far: where, and whether the zone writes it. As with BIND, paths are compared as they are
/// written, whatever the case of their letters.
pub(in crate::conf::check) type Files = HashMap<String, (Place, bool)>;

impl<'a> Context<'a> {
    /// `writes`: the zone is signed or changed here.
    pub(super) fn check_file(&self, zone: &Zone<'a>, writes: bool, files: &mut Files) {
        if named(zone.block, "dlz").is_some() && named(zone.block, "database").is_some() {
            let rule = "cannot specify both 'dlz' and 'database'";
            return self.error(zone.node.place, format!("zone '{}': {rule}", zone.name));
        }
        if is_elsewhere(zone.block) {
            return;
        }
        let file = named(zone.block, "file").and_then(|node| node.items.first());
        let Some((item, path)) = file.and_then(|item| Some((item, item.text()?))) else {
            if needs_file(zone) {
                self.error(zone.node.place, format!("zone '{}': missing 'file' entry", zone.name));
            }
            return;
        };
        let writes = match zone.kind {
            ZoneType::Secondary | ZoneType::Mirror => true,
            ZoneType::Primary | ZoneType::Hint => writes,
            _ => return,
        };
        let folded = path.to_ascii_lowercase();
        match files.get(&folded) {
            Some((earlier, written)) if writes || *written => {
                let earlier = self.shown(*earlier);
                self.error(item.place, format!("writeable file '{path}': already in use: {earlier}"));
            }
            Some(_) => {}
            None => drop(files.insert(folded, (item.place, writes))),
        }
    }
}

/// Primaries and hints, and secondaries that sign.
fn needs_file(zone: &Zone<'_>) -> bool {
    match zone.kind {
        ZoneType::Primary | ZoneType::Hint => true,
        ZoneType::Secondary => named(zone.block, "inline-signing").is_some_and(says_yes),
        _ => false,
    }
}

/// Whether the contents come from another place than a file.
pub(in crate::conf) fn is_elsewhere(block: Block<'_>) -> bool {
    let database = named(block, "database").and_then(Node::text);
    named(block, "dlz").is_some() || database.is_some_and(|text| !FILE_DATABASES.contains(&text))
}
