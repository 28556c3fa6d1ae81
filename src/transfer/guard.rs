//! Guards over secondaries that BIND does not have: each is off unless the operator asks for it.

use std::fmt;

/// What is guarded against, and how far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Guards {
    /// `shrink`: a version that has fewer records than the one before by more percent than this is not published.
    pub shrink_percent: Option<u32>,
    /// `grace`: how long a copy is served on that has expired, in seconds.
    pub grace_s: u64,
    /// `lower`: how long every primary must have had a lower serial before it is followed, in seconds.
    pub lower_s: Option<u64>,
}

/// What is wrong with a guard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// There is none of this name.
    #[error("no guard is called '{0}'; known: grace, lower, shrink")]
    Name(String),
    /// A number of percent was expected.
    #[error("'{0}' is not from 1 to 99 percent")]
    Percent(String),
    /// A time was expected.
    #[error("'{0}' is no time such as 30m, 12h or 7d")]
    Time(String),
}

impl Guards {
    /// Takes up guards such as `shrink=50`, with commas or blanks between them.
    pub fn add(&mut self, guards: &str) -> Result<(), GuardError> {
        for guard in guards.split([',', ' ', '\t']).filter(|guard| !guard.is_empty()) {
            let (name, value) = guard.split_once('=').unwrap_or((guard, ""));
            match name {
                "shrink" => self.shrink_percent = Some(percent(value)?),
                "grace" => self.grace_s = seconds(value)?,
                "lower" => self.lower_s = Some(seconds(value)?),
                _ => return Err(GuardError::Name(name.to_owned())),
            }
        }
        Ok(())
    }

    /// Whether a version has too few records to come behind another.
    pub fn is_shrunk(&self, before: usize, after: usize) -> bool {
        let kept = |percent: u32| before.saturating_mul(100_usize.saturating_sub(percent as usize));
        self.shrink_percent.is_some_and(|percent| after.saturating_mul(100) < kept(percent))
    }
}

/// As it may be given, without those that are off.
impl fmt::Display for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shrink = self.shrink_percent.map(|percent| format!("shrink={percent}%"));
        let grace = (self.grace_s > 0).then(|| format!("grace={}s", self.grace_s));
        let lower = self.lower_s.map(|lower_s| format!("lower={lower_s}s"));
        let all: Vec<_> = [shrink, grace, lower].into_iter().flatten().collect();
        f.write_str(&all.join(","))
    }
}

fn percent(text: &str) -> Result<u32, GuardError> {
    let percent = text.strip_suffix('%').unwrap_or(text).parse();
    percent.ok().filter(|percent| (1..100).contains(percent)).ok_or_else(|| GuardError::Percent(text.to_owned()))
}

fn seconds(text: &str) -> Result<u64, GuardError> {
    let unit = UNITS.iter().find_map(|&(unit, unit_s)| Some((text.strip_suffix(unit)?, unit_s)));
    let (number, unit_s) = unit.unwrap_or((text, 1));
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_s));
    seconds.filter(|&seconds| seconds <= MAX_S).ok_or_else(|| GuardError::Time(text.to_owned()))
}

const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
/// Ten years; more is a slip.
const MAX_S: u64 = 315_360_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn guards(text: &str) -> Result<Guards, GuardError> {
        let mut guards = Guards::default();
        guards.add(text).map(|()| guards)
    }

    #[test]
    fn guards_are_off_unless_they_are_named() {
        assert_eq!(guards(""), Ok(Guards { shrink_percent: None, grace_s: 0, lower_s: None }));
        let all = Guards { shrink_percent: Some(40), grace_s: 172_800, lower_s: Some(5400) };
        assert_eq!(guards("shrink=40%,grace=2d lower=90m"), Ok(all));
        assert_eq!(all.to_string(), "shrink=40%,grace=172800s,lower=5400s");
        assert_eq!((guards(&all.to_string()), Guards::default().to_string()), (Ok(all), String::new()));
    }

    #[test]
    fn what_is_no_guard_is_told() {
        assert_eq!(guards("shrnk=1"), Err(GuardError::Name("shrnk".to_owned())));
        assert_eq!(guards("shrink=100"), Err(GuardError::Percent("100".to_owned())));
        assert_eq!(guards("grace=soon"), Err(GuardError::Time("soon".to_owned())));
        assert_eq!(guards("lower"), Err(GuardError::Time(String::new())));
        assert!(guards("lower=99999999999w").is_err());
    }

    #[test]
    fn a_version_is_shrunk_beyond_the_percentage() {
        let guards = guards("shrink=50").unwrap();
        assert!(!guards.is_shrunk(100, 50) && guards.is_shrunk(100, 49));
        assert!(!guards.is_shrunk(1, 3) && !Guards::default().is_shrunk(100, 2));
    }
}
