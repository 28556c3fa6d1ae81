//! `geoip` elements of address match lists.

use super::Context;
use super::acl::Faulty;
use crate::conf::lexer::Place;
use crate::conf::tree::{Item, after};

/// The databases that GeoIP2 has.
const DATABASES: [&str; 6] = ["asnum", "city", "country", "domain", "isp", "org"];
/// What only the older databases could be asked for.
const GONE: [&str; 6] = ["area", "areacode", "country3", "countryname", "netspeed", "regionname"];
/// Databases that know of countries and what is above them.
const COUNTRY: [&str; 2] = ["city", "country"];
/// Databases that know of parts of countries.
const CITY: [&str; 1] = ["city"];
/// How long the code of a country is that GeoIP2 does not know.
const LONG_CODE_LEN: usize = 3;

impl Context<'_> {
    /// The words behind `geoip`: `[ db DATABASE ] TYPE VALUE`.
    pub(super) fn check_location(&self, place: Place, items: &[Item<'_>]) -> Result<(), Faulty> {
        let database = after(items, "db").and_then(Item::text);
        let mut texts = items.iter().filter_map(Item::text).skip(usize::from(database.is_some()));
        let (Some(shown), Some(value)) = (texts.next(), texts.next()) else { return Ok(()) };
        let (subject, folded) = (shown.to_ascii_lowercase(), database.map(str::to_ascii_lowercase));
        if folded.as_deref().is_some_and(|name| !DATABASES.contains(&name)) {
            let unknown = database.unwrap_or_default();
            return self.fault(place, format!("database '{unknown}' is not defined for GeoIP2"));
        }
        if GONE.contains(&&*subject) {
            return self.fault(place, format!("type '{shown}' is unavailable in GeoIP2 databases"));
        }
        if subject == "country" && value.len() == LONG_CODE_LEN {
            return self.fault(place, "three-letter country codes are unavailable in GeoIP2 databases".to_owned());
        }
        if let Some(database) = folded {
            self.check_database(place, &database, &subject);
        }
        Ok(())
    }

    /// A database that knows nothing of the subject.
    fn check_database(&self, place: Place, database: &str, subject: &str) {
        match subject {
            "country" | "continent" if !COUNTRY.contains(&database) => {
                self.warn(place, format!("invalid database specified for {subject} search: ignored"));
            }
            "region" if !CITY.contains(&database) => {
                self.warn(place, "invalid database specified for region/subdivision search: ignored");
            }
            "city" | "postal" | "postalcode" | "metro" | "metrocode" | "tz" | "timezone"
                if !CITY.contains(&database) =>
            {
                self.warn(place, format!("invalid database specified for a '{subject}'-only search type: ignoring"));
            }
            "isp" | "org" | "asnum" | "domain" if database != subject => {
                self.warn(place, format!("invalid database specified for a '{subject}'-only search type: ignoring"));
            }
            _ => {}
        }
    }

    fn fault(&self, place: Place, message: String) -> Result<(), Faulty> {
        self.error(place, message);
        Err(Faulty(super::acl::FAILURE.to_owned()))
    }
}
