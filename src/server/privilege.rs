//! Giving up root: the account of `-u`, the root directory of `-t`, and the few capabilities that are kept.
//!
//! named becomes the account before it reads anything, and keeps CAP_NET_BIND_SERVICE so that it can bind port 53, at
//! the start and on a new address later. All of it happens before the second thread starts, for capabilities belong to
//! threads.

use std::ffi::CString;
use std::path::Path;

use caps::{CapSet, Capability, CapsHashSet};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, User};

/// Why privileges could not be given up.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrivilegeError {
    /// No account of that name or number.
    #[error("user '{0}' unknown")]
    UnknownUser(String),
    /// The directory of `-t` cannot become the root.
    #[error("chroot(): {}", .0.desc())]
    Chroot(Errno),
    /// The account's groups or ids cannot be taken.
    #[error("{call}(): {}", source.desc())]
    Ids {
        /// The system call.
        call: &'static str,
        /// What the system said.
        source: Errno,
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
        ids("prctl", prctl::set_keepcaps(false))?;
        // Another account takes that away; without it a crash leaves no core.
        ids("prctl", prctl::set_dumpable(true))
    }
}

/// Makes `directory` the root directory, for the server and for the checkers.
pub(crate) fn change_root(directory: &Path) -> Result<(), Errno> {
    nix::unistd::chroot(directory).and_then(|()| nix::unistd::chdir("/"))
}

fn ids(call: &'static str, outcome: nix::Result<()>) -> Result<(), PrivilegeError> {
    outcome.map_err(|source| PrivilegeError::Ids { call, source })
}

/// [`KEPT`], if we had it; a container may have taken it away.
fn keep_capabilities() -> Result<(), PrivilegeError> {
    let failed = |fault: caps::errors::CapsError| PrivilegeError::Capabilities(fault.to_string());
    let had = caps::read(None, CapSet::Permitted).map_err(failed)?;
    let kept: CapsHashSet = had.into_iter().filter(|capability| *capability == KEPT).collect();
    caps::set(None, CapSet::Effective, &kept).map_err(failed)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(failed)
}

/// Binding ports below 1024.
const KEPT: Capability = Capability::CAP_NET_BIND_SERVICE;

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
