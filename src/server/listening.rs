//! Where the server listens: the addresses that the configuration wants of those that the host has, and the sockets
//! there.
//!
//! A listener with TLS or HTTP has no UDP beside it. What is spoken can change while connections are open.
//!
//! At the start sockets are bound before privileges are dropped and before there is a runtime ([`bind`]); from then on
//! [`Listening`] follows the configuration and the host's interfaces.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::access::Host;
use super::control::listener::io_text;
use super::logging::line::Socket;
use super::logging::{Category, Severity, log};
use super::stacks::{Stacks, framing, is_plain};
use crate::answer::acl::Peer;
use crate::conf::config::{Config, Listen, Options};
use crate::net::interfaces::{self, InterfaceAddress};
use crate::net::listen::{ListenError, bind_tcp_group, bind_udp, changes};
use crate::net::tcp::{self, Limits, Timeouts};
use crate::net::udp::{Framing, Worker};

/// What the command line says about addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Families {
    /// Not `-6`.
    pub(super) ipv4: bool,
    /// Not `-4`.
    pub(super) ipv6: bool,
    /// `-p`: in place of the configuration's `port`.
    pub(super) port: Option<u16>,
}

/// The host as it is now.
pub(super) fn survey() -> io::Result<(Host, Vec<InterfaceAddress>)> {
    let addresses = interfaces::addresses()?;
    let host = Host {
        localhost: addresses.iter().map(|entry| IpNet::from(entry.address())).collect(),
        localnets: addresses.iter().map(|entry| entry.network.trunc()).collect(),
    };
    Ok((host, addresses))
}

/// The addresses to listen on, each with the first clause that asks for it.
pub(super) fn wanted<'a>(
    options: &'a Options,
    families: Families,
    host: &Host,
    addresses: &[InterfaceAddress],
) -> BTreeMap<SocketAddr, &'a Listen> {
    let mut wanted = BTreeMap::new();
    for entry in addresses {
        let (is_served, clauses) = match entry.address() {
            IpAddr::V4(_) => (families.ipv4, &options.listen_on),
            IpAddr::V6(_) => (families.ipv6, &options.listen_on_v6),
        };
        if is_served {
            for clause in clauses.iter().filter(|clause| matches(clause, host, entry.address())) {
                wanted.entry(entry.with_port(port(clause, options, families))).or_insert(clause);
            }
        }
    }
    wanted
}

/// `-p` moves the clauses that follow the configuration's own `port`.
fn port(clause: &Listen, options: &Options, families: Families) -> u16 {
    match families.port {
        Some(port) if clause.port == options.port && is_plain(clause) => port,
        _ => clause.port,
    }
}

fn matches(clause: &Listen, host: &Host, address: IpAddr) -> bool {
    host.compile(&clause.addresses).allows(Peer { address, key: None })
}

/// The sockets of one address, bound and not served yet.
pub(super) struct Bound {
    udp: Vec<UdpSocket>,
    tcp: Vec<TcpListener>,
}

/// Binds one address for so many workers.
pub(super) fn bind(
    address: SocketAddr,
    clause: &Listen,
    workers: usize,
    options: &Options,
) -> Result<Bound, ListenError> {
    let udp = if is_plain(clause) { bind_udp(address, workers)? } else { vec![] };
    Ok(Bound { udp, tcp: bind_tcp_group(address, workers, options.tcp_listen_queue)? })
}

/// One address that is listened on.
struct Open {
    tcp: tcp::Listening,
    /// What its datagrams hold, where there is UDP beside TCP.
    udp: Option<Framing>,
    /// Those of HTTP, where that is spoken (`listener-clients`).
    http: Option<Arc<Limits>>,
}

/// The threads that serve: as many for UDP as for TCP.
pub(super) struct Workers {
    pub(super) udp: Vec<Worker>,
    pub(super) tcp: tcp::Workers,
}

/// Everything that is listened on.
pub(super) struct Listening {
    workers: Workers,
    open: BTreeMap<SocketAddr, Open>,
    stacks: Stacks,
    limits: Arc<Limits>,
    families: Families,
    interval: Duration,
    next_scan: Option<Instant>,
}

impl Listening {
    /// Nothing is listened on yet; the workers are there.
    pub(super) fn new(workers: Workers, options: &Options, families: Families, stacks: Stacks) -> Self {
        let limits = Arc::new(Limits::new(timeouts(options), options.tcp_clients as usize));
        let interval = options.interface_interval;
        Self { workers, open: BTreeMap::new(), stacks, limits, families, interval, next_scan: None }
    }

    /// Reads the certificates anew that a configuration names, and returns those that cannot be read, with the reason.
    pub(super) fn read_certificates(&mut self, config: &Config) -> Vec<(String, String)> {
        self.stacks.read(config)
    }

    /// What TCP clients use and may use.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether this address is listened on.
    pub(super) fn has(&self, address: SocketAddr) -> bool {
        self.open.contains_key(&address)
    }

    /// How many UDP sockets there are for each address.
    pub(super) fn worker_count(&self) -> usize {
        self.workers.udp.len()
    }

    /// When the interfaces are to be looked at again.
    pub(super) fn next_scan(&self) -> Option<Instant> {
        self.next_scan
    }

    /// Serves an address.
    pub(super) fn serve<S: tcp::Service>(
        &mut self,
        address: SocketAddr,
        clause: &Listen,
        bound: Bound,
        service: &Arc<S>,
    ) {
        let http = clause.http.as_ref().map(|http| Arc::new(self.limits.beside(http.clients as usize)));
        let Some(stack) = self.stacks.of(clause, http.as_ref().unwrap_or(&self.limits)) else { return };
        let listeners = self.workers.tcp.runtimes().zip(bound.tcp);
        match tcp::Listening::start(address, listeners, service, stack) {
            Ok(tcp) => {
                let udp = framing(clause);
                if let Some(framing) = udp {
                    self.add_udp(address, bound.udp, framing);
                }
                self.open.insert(address, Open { tcp, udp, http });
            }
            Err(error) => log!(Category::Network, Severity::Error, "listening on TCP socket {address}: {error}"),
        }
    }

    fn add_udp(&self, address: SocketAddr, sockets: Vec<UdpSocket>, framing: Framing) {
        for (worker, socket) in self.workers.udp.iter().zip(sockets) {
            worker.add(address, socket, framing);
        }
    }

    /// Makes the addresses listened on those that configuration and host ask for now. An address that cannot be bound
    /// is said, returned with the reason, and tried again with the next scan.
    pub(super) fn follow<S: tcp::Service>(
        &mut self,
        options: &Options,
        host: &Host,
        addresses: &[InterfaceAddress],
        service: &Arc<S>,
    ) -> Vec<(SocketAddr, String)> {
        let mut failed = vec![];
        let clauses = wanted(options, self.families, host, addresses);
        let clauses = clauses.into_iter().filter(|(_, clause)| self.stacks.of(clause, &self.limits).is_some());
        let clauses: BTreeMap<SocketAddr, &Listen> = clauses.collect();
        let changes = changes(&self.open.keys().copied().collect(), &clauses.keys().copied().collect());
        for address in changes.close {
            self.close(address);
        }
        for (address, clause) in clauses {
            let outcome = match self.open.contains_key(&address) {
                true => self.adapt(address, clause),
                false => self.open(address, clause, options, addresses, service),
            };
            if let Err(error) = outcome {
                say_failed(address, addresses, &error);
                failed.push((address, io_text(&error.source)));
            }
        }
        self.limits.timeouts.store(Arc::new(timeouts(options)));
        self.limits.quota.set_limit(options.tcp_clients as usize);
        self.interval = options.interface_interval;
        self.schedule_scan();
        failed
    }

    fn open<S: tcp::Service>(
        &mut self,
        address: SocketAddr,
        clause: &Listen,
        options: &Options,
        addresses: &[InterfaceAddress],
        service: &Arc<S>,
    ) -> Result<(), ListenError> {
        let bound = bind(address, clause, self.worker_count(), options)?;
        say_listening(address, addresses);
        self.serve(address, clause, bound, service);
        Ok(())
    }

    /// Makes an open address speak what its clause says now. Connections go on as they began.
    fn adapt(&mut self, address: SocketAddr, clause: &Listen) -> Result<(), ListenError> {
        let Some(open) = self.open.get_mut(&address) else { return Ok(()) };
        open.http = clause.http.as_ref().map(|http| {
            let limits = open.http.take().unwrap_or_else(|| Arc::new(self.limits.beside(0)));
            limits.quota.set_limit(http.clients as usize);
            limits
        });
        if let Some(stack) = self.stacks.of(clause, open.http.as_ref().unwrap_or(&self.limits)) {
            open.tcp.stack().store(Arc::new(stack));
        }
        let wanted = framing(clause);
        if open.udp == wanted {
            return Ok(());
        }
        if open.udp.take().is_some() {
            self.workers.udp.iter().for_each(|worker| worker.remove(address));
        }
        if let Some(framing) = wanted {
            let sockets = bind_udp(address, self.workers.udp.len())?;
            open.udp = wanted;
            self.add_udp(address, sockets, framing);
        }
        Ok(())
    }

    /// Has the interfaces looked at in a moment: changes come in bursts, and one look does for all of them.
    pub(super) fn scan_soon(&mut self) {
        let soon = Instant::now() + SETTLED;
        self.next_scan = Some(self.next_scan.map_or(soon, |at| at.min(soon)));
    }

    /// Sets the time of the next look at the interfaces.
    pub(super) fn schedule_scan(&mut self) {
        self.next_scan = (!self.interval.is_zero()).then(|| Instant::now() + self.interval);
    }

    /// Stops listening everywhere.
    pub(super) fn close_all(&mut self) {
        for address in self.open.keys().copied().collect::<Vec<_>>() {
            self.close(address);
        }
    }

    fn close(&mut self, address: SocketAddr) {
        log!(Category::Network, Severity::Info, "no longer listening on {}", Socket(address));
        for worker in &self.workers.udp {
            worker.remove(address);
        }
        self.open.remove(&address);
    }
}

/// Tells of a new address as named does.
pub(super) fn say_listening(address: SocketAddr, addresses: &[InterfaceAddress]) {
    let interface = interface(address, addresses);
    log!(Category::Network, Severity::Info, "listening on {interface}, {}", Socket(address));
}

/// Tells of an address that cannot be bound; named's words are in the second line.
pub(super) fn say_failed(address: SocketAddr, addresses: &[InterfaceAddress], error: &ListenError) {
    let (protocol, reason) = (error.protocol, io_text(&error.source));
    log!(Category::Network, Severity::Error, "could not listen on {protocol} socket {}: {reason}", Socket(address));
    let interface = interface(address, addresses);
    log!(Category::Network, Severity::Error, "creating {interface} failed; interface ignored");
}

fn interface(address: SocketAddr, addresses: &[InterfaceAddress]) -> String {
    let found = addresses.iter().find(|entry| entry.address() == address.ip());
    let name = found.map_or("", |entry| entry.interface.as_str());
    format!("{} interface {name}", if address.is_ipv4() { "IPv4" } else { "IPv6" })
}

fn timeouts(options: &Options) -> Timeouts {
    Timeouts {
        initial: options.tcp_initial_timeout,
        idle: options.tcp_idle_timeout,
        keepalive: options.tcp_keepalive_timeout,
    }
}

/// How long after the first of some changes the interfaces are looked at.
const SETTLED: Duration = Duration::from_millis(200);
