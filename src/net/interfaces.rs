//! The addresses of this host, now and when they change.
//!
//! [`addresses`] takes stock; [`Changes`] hears from the kernel (rtnetlink) that it is time to take stock again. What
//! changed is not read from the notice: one that was lost, or a burst of them, would then matter.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use ipnet::IpNet;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, recv, socket,
};
use tokio::io::unix::AsyncFd;

use super::sys;

/// One address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The interface's name.
    pub interface: String,
    /// The address with the length of its network's prefix.
    pub network: IpNet,
    /// Which link a link-local IPv6 address belongs to; otherwise 0.
    pub scope_id: u32,
}

impl InterfaceAddress {
    /// The address alone.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.network.addr()
    }

    /// The address with a port, as a socket is bound to it.
    #[must_use]
    pub fn with_port(&self, port: u16) -> SocketAddr {
        let mut address = SocketAddr::new(self.address(), port);
        if let SocketAddr::V6(v6) = &mut address {
            v6.set_scope_id(self.scope_id);
        }
        address
    }
}

/// All IPv4 and IPv6 addresses of this host, in the order in which the kernel lists them.
///
/// # Errors
/// The kernel does not tell.
pub fn addresses() -> io::Result<Vec<InterfaceAddress>> {
    let listed = getifaddrs()?.filter_map(|entry| {
        let (address, scope_id) = ip(entry.address.as_ref()?)?;
        let prefix = entry.netmask.as_ref().and_then(ip).and_then(|(mask, _)| ipnet::ip_mask_to_prefix(mask).ok());
        let host_prefix = if address.is_ipv4() { 32 } else { 128 };
        let network = IpNet::new(address, prefix.unwrap_or(host_prefix)).ok()?;
        Some(InterfaceAddress { interface: entry.interface_name, network, scope_id })
    });
    Ok(listed.collect())
}

fn ip(address: &SockaddrStorage) -> Option<(IpAddr, u32)> {
    let v4 = address.as_sockaddr_in().map(|v4| (v4.ip().into(), 0));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| (v6.ip().into(), v6.scope_id())))
}

/// The kernel's notices that an address came or went.
#[derive(Debug)]
pub struct Changes {
    socket: AsyncFd<OwnedFd>,
}

impl Changes {
    /// Begins to listen for notices. To be called within a runtime.
    ///
    /// # Errors
    /// The kernel gives no rtnetlink socket; changes are then found by scanning now and then.
    pub fn subscribe() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, ADDRESS_GROUPS))?;
        Ok(Self { socket: sys::readable(socket)? })
    }

    /// Waits for the next change; all notices that have come by then count as one.
    ///
    /// # Errors
    /// The socket is broken.
    pub async fn changed(&mut self) -> io::Result<()> {
        let mut ready = self.socket.readable_mut().await?;
        // Emptied until it would block, which also clears the readiness. An overrun (ENOBUFS) means lost notices, which
        // is news enough.
        while let Ok(read) =
            ready.try_io(|socket| Ok(recv(socket.as_raw_fd(), &mut [0; NOTICE_SIZE], MsgFlags::empty())?))
        {
            match read {
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Notices of IPv4 and IPv6 addresses.
const ADDRESS_GROUPS: u32 = (libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV6_IFADDR) as u32;

/// Room for a notice; one that is longer is cut, as it is not read anyway.
const NOTICE_SIZE: usize = 4096;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_loopback_address_is_listed_with_its_prefix() {
        let listed = addresses().unwrap();
        let loopback = listed.iter().find(|entry| entry.address() == Ipv4Addr::LOCALHOST).unwrap();
        assert_eq!((&*loopback.interface, loopback.network.prefix_len()), ("lo", 8));
        assert_eq!(loopback.with_port(53), "127.0.0.1:53".parse().unwrap());
    }

    #[test]
    fn a_link_local_address_keeps_its_link() {
        let network = "fe80::1/64".parse().unwrap();
        let entry = InterfaceAddress { interface: "eth0".to_owned(), network, scope_id: 2 };
        assert_eq!(entry.with_port(53).to_string(), "[fe80::1%2]:53");
    }

    #[tokio::test(start_paused = true)]
    async fn without_change_there_is_no_notice() {
        let mut changes = Changes::subscribe().unwrap();
        assert!(tokio::time::timeout(std::time::Duration::from_secs(5), changes.changed()).await.is_err());
    }
}
