//! Names to ask for: those that stand in the zones, and those that nearly do.

use nomd::dns::NameBuf;

use super::{Dice, leading, zones};

/// The names that are known to be in the zones.
pub struct Names {
    apexes: Vec<&'static str>,
    owners: Vec<String>,
}

impl Names {
    pub fn new(apexes: &[&'static str]) -> Self {
        Self { apexes: apexes.to_vec(), owners: vec![] }
    }

    /// Takes the owners of a zone text with absolute names.
    pub fn learn(&mut self, text: &str) {
        self.owners.extend(text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned));
    }

    pub fn join(&mut self, other: Self) {
        self.owners.extend(other.owners);
    }

    /// A name in some case.
    pub fn pick(&self, dice: &mut Dice) -> String {
        let name = self.any(dice);
        // A near miss may have become too long.
        let name = if NameBuf::from_text(name.as_bytes(), None).is_ok() { name } else { self.owner(dice).to_owned() };
        match dice.below(6) {
            0 => name.to_uppercase(),
            1 => name.chars().map(|letter| if dice.one_in(2) { letter.to_ascii_uppercase() } else { letter }).collect(),
            _ => name,
        }
    }

    fn owner(&self, dice: &mut Dice) -> &str {
        &self.owners[dice.below(self.owners.len())]
    }

    fn any(&self, dice: &mut Dice) -> String {
        let apex = *dice.pick(&self.apexes);
        let owner = self.owner(dice);
        let (first, parent) = owner.split_once('.').unwrap_or(("", ""));
        let label = *dice.pick(zones::LABELS);
        match dice.below(22) {
            0 => apex.to_owned(),
            1 => zones::name_below(dice, "elsewhere.test."),
            2 => format!("ns.{}", zones::below(apex)),
            3..=7 => owner.to_owned(),
            8 | 9 => format!("{label}.{}", zones::below(owner)),
            10 => format!("{label}.{label}.{}", zones::below(owner)),
            11 => {
                if parent.is_empty() {
                    ".".to_owned()
                } else {
                    parent.to_owned()
                }
            }
            12 => format!("{first}0.{parent}"),
            13 => format!("{label}.{parent}"),
            14..=17 => format!("{}.{}", dice.pick(leading::NAMES), zones::below(apex)),
            _ => zones::name_below(dice, apex),
        }
    }
}
