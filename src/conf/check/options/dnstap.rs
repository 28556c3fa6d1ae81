//! dnstap: the buffers of its stream, and where it goes.

use super::limits::number_of;
use crate::conf::check::view::View;
use crate::conf::check::{Context, named};
use crate::conf::tree::{Block, Item, Node, Value};

/// The numbers of the stream: name, smallest, largest, and whether only powers of 2 will do; a largest of 0: none.
const STREAM: [(&str, u32, u32, bool); 6] = [
    ("fstrm-set-buffer-hint", 1024, 65_536, false),
    ("fstrm-set-flush-timeout", 1, 600, false),
    ("fstrm-set-input-queue-size", 2, 16_384, true),
    ("fstrm-set-output-notify-threshold", 1, 0, false),
    ("fstrm-set-output-queue-size", 2, 1024, false),
    ("fstrm-set-reopen-interval", 1, 600, false),
];
/// What only a file can have.
const OF_FILES: [&str; 3] = ["size", "versions", "suffix"];

impl<'a> Context<'a> {
    /// The stream's numbers and `dnstap-output`.
    pub(super) fn check_dnstap_options(&self, block: Block<'_>) {
        STREAM.into_iter().for_each(|limits| self.check_stream(block, limits));
        let Some(node) = named(block, "dnstap-output") else { return };
        let is_socket = node.value() == Some(&Value::Word("unix"));
        for what in OF_FILES.into_iter().filter(|_| is_socket) {
            if let Some(item) = node.after(what) {
                self.error(item.place, format!("dnstap-output {what} cannot be set with mode unix"));
            }
        }
    }

    fn check_stream(&self, block: Block<'_>, (name, min, max, powers): (&str, u32, u32, bool)) {
        let Some((item, value)) = number_of(block, name) else { return };
        if max == 0 && value < min {
            self.error(item.place, format!("{name} out of range ({value} < {min})"));
        } else if max != 0 && !(min..=max).contains(&value) {
            self.error(item.place, format!("{name} '{value}' out of range ({min}..{max})"));
        }
        if powers && value.count_ones() != 1 {
            self.error(item.place, format!("{name} '{value}' not a power-of-2"));
        }
    }

    /// A view whose queries are to be written, with nowhere to write them.
    pub(in crate::conf::check) fn check_dnstap(&self, view: View<'a>) {
        let Some(item) = self.effective(view, "dnstap").and_then(list_item) else { return };
        if self.options.and_then(|block| named(block, "dnstap-output")).is_none() {
            self.error(item.place, "'dnstap-output' must be set if 'dnstap' is set");
        }
    }
}

fn list_item<'a>(node: &Node<'a>) -> Option<&'a Item<'a>> {
    node.items.iter().find(|item| item.list().is_some())
}
