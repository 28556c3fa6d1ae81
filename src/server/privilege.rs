//! Giving up root: the account of `-u`, the root directory of `-t`, and the few capabilities that are kept.
//!
//! named binds its addresses as root, becomes the account, and keeps CAP_NET_BIND_SERVICE so that a later reconfig can
//! bind port 53 on a new address. All of it happens before the first thread starts, for capabilities belong to threads.

use std::ffi::CString;
use std::io;
use std::path::Path;

use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, User};

/// Why privileges could not be given up.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrivilegeError {
    /// No account of that name or number.
    #[error("user '{0}' unknown")]
    UnknownUser(String),
    /// The directory of `-t` cannot become the root.
    #[error("chroot(): {0}")]
    Chroot(io::Error),
    /// The account's groups or ids cannot be taken.
    #[error("{call}(): {source}")]
    Ids {
        /// The system call.
        call: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Capabilities cannot be set.
    #[error("capset failed: {0}")]
    Capabilities(String),
}

/// An account to run as.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: CString,
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// Looks an account up by name or number. To be done before [`change_root`], which may take the user database away.
    pub(super) fn find(name: &str) -> Result<Self, PrivilegeError> {
        let unknown = || PrivilegeError::UnknownUser(name.to_owned());
        let user = match name.parse() {
            Ok(number) => User::from_uid(Uid::from_raw(number)),
            Err(_) => User::from_name(name),
        };
        let user = user.ok().flatten().ok_or_else(unknown)?;
        let name = CString::new(user.name).map_err(|_| unknown())?;
        Ok(Self { name, uid: user.uid, gid: user.gid })
    }

    /// Becomes the account, for good, keeping what binding an address later needs.
    pub(super) fn take(&self) -> Result<(), PrivilegeError> {
        if self.uid == Uid::effective() {
            return Ok(());
        }
        ids("prctl", prctl::set_keepcaps(true))?;
        ids("initgroups", nix::unistd::initgroups(&self.name, self.gid))?;
        ids("setgid", nix::unistd::setgid(self.gid))?;
        ids("setuid", nix::unistd::setuid(self.uid))?;
        keep_capabilities()?;
        ids("prctl", prctl::set_keepcaps(false))
    }
}

/// Makes `directory` the root directory.
pub(super) fn change_root(directory: &Path) -> Result<(), PrivilegeError> {
    nix::unistd::chroot(directory)
        .and_then(|()| nix::unistd::chdir("/"))
        .map_err(|fault| PrivilegeError::Chroot(fault.into()))
}

fn ids(call: &'static str, outcome: nix::Result<()>) -> Result<(), PrivilegeError> {
    outcome.map_err(|fault| PrivilegeError::Ids { call, source: fault.into() })
}

/// Those of [`KEPT`] that we had; a container may have taken some away.
fn keep_capabilities() -> Result<(), PrivilegeError> {
    let failed = |fault: caps::errors::CapsError| PrivilegeError::Capabilities(fault.to_string());
    let had = caps::read(None, CapSet::Permitted).map_err(failed)?;
    let kept: CapsHashSet = KEPT.into_iter().filter(|capability| had.contains(capability)).collect();
    caps::set(None, CapSet::Effective, &kept).map_err(failed)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(failed)
}

/// Binding ports below 1024, and raising our own limits.
const KEPT: [Capability; 2] = [Capability::CAP_NET_BIND_SERVICE, Capability::CAP_SYS_RESOURCE];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_name_and_number() {
        assert_eq!(Account::find("root").unwrap().uid, Uid::from_raw(0));
        assert_eq!(Account::find("0").unwrap().name.to_str(), Ok("root"));
        let fault = Account::find("no-such-account").unwrap_err();
        assert_eq!(fault.to_string(), "user 'no-such-account' unknown");
    }
}
