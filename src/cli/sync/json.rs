//! The standing of zones for scripts. Its keys stand in nomd-sync(1) and keep their meaning.

use super::rows::{Primary, Standing, Transfer, Zone};
use crate::cli::json::Json;
use crate::transfer::standing::State;

impl<'a> Standing<'a> {
    /// What is not there has no key.
    pub(super) fn json(&'a self) -> Json<'a> {
        let totals = State::ALL.iter().map(|state| {
            let count = self.totals.iter().find(|(each, _)| each == state).map_or(0, |(_, count)| *count);
            (name(*state), Json::Number(count))
        });
        Json::Object(vec![
            ("format", Json::Number(FORMAT)),
            ("totals", Json::Object(totals.collect())),
            ("zones", Json::List(self.zones.iter().map(Zone::json).collect())),
        ])
    }
}

impl Zone<'_> {
    fn json(&self) -> Json<'_> {
        let mut pairs = vec![
            ("state", Json::Text(name(self.state))),
            ("name", Json::Text(self.name)),
            ("class", Json::Text(self.class)),
            ("view", Json::Text(self.view)),
        ];
        let times = [
            ("serial", self.serial),
            ("confirmed", self.confirmed_s),
            ("next_check", self.next_s),
            ("expires", self.expires_s),
        ];
        pairs.extend(times.into_iter().filter_map(|(key, value)| Some((key, Json::Number(value?)))));
        pairs.extend(self.transfer.map(|(primary, transfer)| ("transfer", transfer.json(Some(primary)))));
        pairs.push(("primaries", Json::List(self.primaries.iter().map(Primary::json).collect())));
        Json::Object(pairs)
    }
}

impl Transfer {
    fn json(self, primary: Option<&str>) -> Json<'_> {
        let ended = [("ended", Json::Number(self.ended_s))];
        let measures = [("bytes", Json::Number(self.bytes)), ("milliseconds", Json::Number(self.took_ms))];
        let primary = primary.map(|primary| ("primary", Json::Text(primary)));
        Json::Object(ended.into_iter().chain(primary).chain(measures).collect())
    }
}

impl Primary<'_> {
    fn json(&self) -> Json<'_> {
        let mut pairs = vec![("address", Json::Text(self.address))];
        let numbers = [("serial", self.serial), ("asked", self.checked_s), ("answered", self.answered_s)];
        pairs.extend(numbers.into_iter().filter_map(|(key, value)| Some((key, Json::Number(value?)))));
        pairs.extend(self.trouble.map(|trouble| ("trouble", Json::Text(trouble))));
        let last_error = self.last_error_s.zip(self.last_error);
        pairs.extend(last_error.map(|(at_s, text)| ("last_error", error_json(at_s, text))));
        pairs.extend(self.transfer.map(|transfer| ("transfer", transfer.json(None))));
        Json::Object(pairs)
    }
}

fn error_json(at_s: u64, text: &str) -> Json<'_> {
    Json::Object(vec![("at", Json::Number(at_s)), ("text", Json::Text(text))])
}

/// A state as a word of JSON.
fn name(state: State) -> &'static str {
    match state {
        State::Expired => "expired",
        State::Missing => "missing",
        State::PastExpiry => "past-expiry",
        State::Refused => "refused",
        State::HeldBack => "held-back",
        State::WentBack => "went-back",
        State::Unreachable => "unreachable",
        State::Behind => "behind",
        State::Transferring => "transferring",
        State::Checking => "checking",
        State::Current => "current",
    }
}

/// Grows when a key goes or changes its meaning.
const FORMAT: u64 = 1;
