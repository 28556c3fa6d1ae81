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
    file: Option<PathBuf>,
}

impl SessionKey {
    fn make(conf: &config::SessionKey) -> io::Result<Self> {
        let config::SessionKey { path, name, algorithm, truncate_bits } = conf.clone();
        let mut secret = vec![0; usize::from(algorithm.bits()).div_ceil(8)];
        File::open("/dev/urandom")?.read_exact(&mut secret)?;
        let key = Arc::new(Key { name, algorithm, truncate_bits, secret });
        path.as_deref().map_or(Ok(()), |path| write(path, &key))?;
        Ok(Self { conf: conf.clone(), key, file: path })
    }
}

impl Drop for SessionKey {
    fn drop(&mut self) {
        // As with the pid file.
        self.file.iter().for_each(|path| drop(fs::remove_file(path)));
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
    /// Makes a session key if some zone of the configuration now in force asks for one, or takes it away.
    pub(super) fn follow_session_key(&mut self) {
        let conf = &self.config.options.session_key;
        if !is_wanted(&self.config) {
            self.session_key = None;
        } else if self.session_key.as_ref().is_none_or(|session| session.conf != *conf) {
            self.session_key = None;
            self.session_key = SessionKey::make(conf)
                .inspect_err(|error| {
                    let (path, reason) = (conf.path.as_deref().unwrap_or(Path::new("")).display(), io_text(error));
                    log!(Category::General, Severity::Error, "could not create {path}");
                    log!(
                        Category::General,
                        Severity::Error,
                        "failed to generate session key for dynamic DNS: {reason}"
                    );
                })
                .ok();
        }
        self.identity.session_key = self.session_key.as_ref().map(|session| Arc::clone(&session.key));
    }
}

fn is_wanted(config: &Config) -> bool {
    let zones = config.views.iter().flat_map(|view| &view.zones);
    zones.map(|zone| &zone.settings.updates).any(|updates| match updates {
        Updates::Granted(rules) => rules.iter().any(|rule| rule.names == GrantNames::Local),
        _ => false,
    })
}
