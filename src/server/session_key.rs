//! The key of `update-policy local`: made anew at each start, known to this host alone by way of a file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::control::listener::io_text;
use super::core::Core;
use super::logging::{Category, Severity, log};
use crate::conf::config::{self, Config, GrantNames, Updates};
use crate::dns::Key;
use crate::dns::name::NoDot;

/// A session key, and its file, which goes when this does.
#[derive(Debug)]
pub(super) struct SessionKey {
    conf: config::SessionKey,
    pub(super) key: Arc<Key>,
    file: PathBuf,
}

impl SessionKey {
    fn make(conf: &config::SessionKey, path: &Path) -> io::Result<Self> {
        let config::SessionKey { name, algorithm, truncate_bits, .. } = conf.clone();
        let mut secret = vec![0; usize::from(algorithm.bits()).div_ceil(8)];
        File::open("/dev/urandom")?.read_exact(&mut secret)?;
        let key = Arc::new(Key { name, algorithm, truncate_bits, secret });
        write(path, &key)?;
        Ok(Self { conf: conf.clone(), key, file: path.to_owned() })
    }
}

impl Drop for SessionKey {
    fn drop(&mut self) {
        // As with the pid file.
        let _ = fs::remove_file(&self.file);
    }
}

/// Writes the key so that only we can read it.
fn write(path: &Path, key: &Key) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    }
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let (name, algorithm) = (NoDot(key.name.as_ref()), key.algorithm.text());
    let secret = data_encoding::BASE64.encode(&key.secret);
    write!(file, "key \"{name}\" {{\n\talgorithm {algorithm};\n\tsecret \"{secret}\";\n}};\n")
}

impl Core {
    /// Makes the session key of the configuration now in force, whether or not a zone asks for it, as named does. One
    /// that nobody could read, for it has no file, is not made.
    pub(super) fn follow_session_key(&mut self) {
        let conf = &self.config.options.session_key;
        if self.session_key.as_ref().is_none_or(|session| session.conf != *conf) {
            // The old file goes before there is a new one.
            self.session_key = None;
            self.session_key = conf.path.as_deref().and_then(|path| made(conf, path));
        }
        if self.session_key.is_none() {
            say_missing(&self.config);
        }
        self.identity.session_key = self.session_key.as_ref().map(|session| Arc::clone(&session.key));
    }
}

/// A new key, unless it cannot be written; says so.
fn made(conf: &config::SessionKey, path: &Path) -> Option<SessionKey> {
    log!(Category::General, Severity::Info, "generating session key for dynamic DNS");
    let failed = |error: &io::Error| {
        let reason = io_text(error);
        log!(Category::General, Severity::Error, "could not create {}", path.display());
        log!(Category::General, Severity::Error, "failed to generate session key for dynamic DNS: {reason}");
    };
    SessionKey::make(conf, path).inspect_err(failed).ok()
}

/// Tells of the zones that change with the session key, now that there is none. named refuses such a configuration.
fn say_missing(config: &Config) {
    let zones = config.views.iter().flat_map(|view| &view.zones);
    for zone in zones.filter(|zone| wants_key(&zone.settings.updates)) {
        let zone = NoDot(zone.apex.as_ref());
        let what = format_args!("failed to enable auto DDNS policy for zone {zone}");
        log!(Category::General, Severity::Error, "{what}: session key not found");
    }
}

fn wants_key(updates: &Updates) -> bool {
    matches!(updates, Updates::Granted(rules) if rules.iter().any(|rule| rule.names == GrantNames::Local))
}
