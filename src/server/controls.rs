//! Where `rndc` is listened for: the `controls` statement, or the default channel with the key of rndc.key.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::task::JoinHandle;

use super::access::Host;
use super::commands::Desk;
use super::control::listener::{self, Settings, io_text};
use super::logging::{Category, Severity, log};
use crate::answer::acl::Peer;
use crate::conf::config::{AddressMatchList, Config, Match, MatchElement};
use crate::conf::rndc;
use crate::dns::Key;
use crate::net::listen::bind_tcp;

/// One listener as it is wanted.
struct Wanted {
    address: SocketAddr,
    allow: AddressMatchList,
    keys: Vec<Arc<Key>>,
    read_only: bool,
}

/// A listener that is bound.
struct Channel {
    settings: Arc<ArcSwap<Settings>>,
    socket: Option<TcpListener>,
    task: Option<JoinHandle<()>>,
}

/// A listener that cannot be had, or not with the keys that it should have, and why. None: the default ones.
pub(super) type Missing = (Option<SocketAddr>, String);

/// All listeners of the control channel.
pub(super) struct Controls {
    channels: BTreeMap<SocketAddr, Channel>,
}

impl Controls {
    /// Binds what the configuration asks for; what cannot be bound is said and left out.
    pub(super) fn bind(config: &Config, conf_path: &Path, host: &Host) -> Self {
        let mut controls = Self { channels: BTreeMap::new() };
        controls.open(config, conf_path, host);
        controls
    }

    /// Serves every listener that is not served yet. To be called within a runtime.
    pub(super) fn serve(&mut self, desk: &Arc<Desk>) {
        for (address, channel) in &mut self.channels {
            let Some(socket) = channel.socket.take() else { continue };
            match tokio::net::TcpListener::from_std(socket) {
                Ok(socket) => {
                    channel.task =
                        Some(tokio::spawn(listener::serve(socket, Arc::clone(&channel.settings), Arc::clone(desk))));
                }
                Err(error) => listener::log_failed(*address, &error),
            }
        }
    }

    /// Follows a new configuration: connections that are open stay, also the one that brought the command. Gives the
    /// channels that are not as the configuration wants them.
    pub(super) fn follow(&mut self, config: &Config, conf_path: &Path, host: &Host, desk: &Arc<Desk>) -> Vec<Missing> {
        let missing = self.open(config, conf_path, host);
        self.serve(desk);
        missing
    }

    /// Stops listening.
    pub(super) fn close(&mut self) {
        for (address, channel) in std::mem::take(&mut self.channels) {
            listener::log_stopping(address);
            channel.stop();
        }
    }

    fn open(&mut self, config: &Config, conf_path: &Path, host: &Host) -> Vec<Missing> {
        let (wanted, mut missing) = wanted(config, conf_path);
        self.close_others(&wanted, &missing);
        for one in wanted {
            let settings = settings(&one, host);
            if let Some(channel) = self.channels.get(&one.address) {
                channel.settings.store(Arc::new(settings));
            } else if let Err(error) = self.add(one.address, settings) {
                missing.push((Some(one.address), io_text(&error)));
            }
        }
        missing
    }

    /// Closes what is not wanted any more. A channel for which there is no key now keeps the keys that it has, as with
    /// named: nobody is to lock himself out.
    fn close_others(&mut self, wanted: &[Wanted], missing: &[Missing]) {
        let default = default_addresses();
        let is_kept = |open: &SocketAddr| {
            let keeps = |(address, _): &Missing| address.map_or_else(|| default.contains(open), |kept| kept == *open);
            wanted.iter().any(|one| one.address == *open) || missing.iter().any(keeps)
        };
        let gone: Vec<SocketAddr> = self.channels.keys().filter(|open| !is_kept(open)).copied().collect();
        for address in gone {
            listener::log_stopping(address);
            if let Some(channel) = self.channels.remove(&address) {
                channel.stop();
            }
        }
    }

    fn add(&mut self, address: SocketAddr, settings: Settings) -> io::Result<()> {
        let socket = bind_tcp(address, CONTROL_BACKLOG).map_err(|error| error.source);
        let socket = socket.inspect_err(|error| listener::log_failed(address, error))?;
        listener::log_listening(address);
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        self.channels.insert(address, Channel { settings, socket: Some(socket), task: None });
        Ok(())
    }
}

impl Channel {
    fn stop(self) {
        if let Some(task) = self.task {
            task.abort();
        }
    }
}

fn settings(wanted: &Wanted, host: &Host) -> Settings {
    let acl = host.compile(&wanted.allow);
    let allow = move |peer: SocketAddr| acl.allows(Peer { address: peer.ip(), key: None });
    Settings { keys: wanted.keys.clone(), read_only: wanted.read_only, allow: Arc::new(allow) }
}

/// The channels that can be had, and those without a key.
fn wanted(config: &Config, conf_path: &Path) -> (Vec<Wanted>, Vec<Missing>) {
    let key_path = conf_path.with_file_name(KEY_FILE);
    let Some(controls) = &config.controls else { return default_channel(&key_path) };
    let (mut wanted, mut missing) = (vec![], vec![]);
    for control in controls {
        let (address, read_only) = (control.address, control.read_only);
        let keys = if control.keys.is_empty() { key_of_file(&key_path) } else { control.keys.clone() };
        if keys.is_empty() {
            listener::log_failed(address, &io::ErrorKind::NotFound.into());
            missing.push((Some(address), no_key(&key_path)));
            continue;
        }
        wanted.push(Wanted { address, allow: control.allow.clone(), keys, read_only });
    }
    (wanted, missing)
}

/// BIND semantics 8.10: loopback, for this host, with the key of rndc.key; without that file there is no channel.
fn default_channel(key_path: &Path) -> (Vec<Wanted>, Vec<Missing>) {
    let keys = key_of_file(key_path);
    if keys.is_empty() {
        let none = "command channel: none, for want of a key";
        log!(Category::General, Severity::Warning, "{none} in '{}'", key_path.display());
        return (vec![], vec![(None, no_key(key_path))]);
    }
    let allow: AddressMatchList = Arc::new([MatchElement { negated: false, what: Match::Localhost }]);
    let channel = |address| Wanted { address, allow: allow.clone(), keys: keys.clone(), read_only: false };
    (default_addresses().map(channel).into(), vec![])
}

fn default_addresses() -> [SocketAddr; 2] {
    [(Ipv4Addr::LOCALHOST, CONTROL_PORT).into(), (Ipv6Addr::LOCALHOST, CONTROL_PORT).into()]
}

fn no_key(path: &Path) -> String {
    format!("no key in '{}'", path.display())
}

fn key_of_file(path: &Path) -> Vec<Arc<Key>> {
    match rndc::load_key_file(path) {
        Ok(key) => vec![Arc::new(key)],
        Err(faults) => {
            super::start::log_diagnostics(&faults);
            vec![]
        }
    }
}

/// The file with the key of the default channel, beside named.conf.
const KEY_FILE: &str = "rndc.key";
/// The port that rndc asks by itself.
const CONTROL_PORT: u16 = 953;
/// How many may wait to be accepted.
const CONTROL_BACKLOG: u32 = 10;
