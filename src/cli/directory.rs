//! Where a program stands: its root directory and its current one. Faults are told in BIND's words.

use std::path::Path;

use nix::errno::Errno;

use crate::server::privilege;

/// Makes `directory` the root directory and the current one.
pub(super) fn change_root(directory: &Path) -> Result<(), String> {
    privilege::change_root(directory).map_err(fault_text)
}

/// Makes `directory` the current directory.
pub(super) fn change_directory(directory: &Path) -> Result<(), String> {
    nix::unistd::chdir(directory).map_err(fault_text)
}

fn fault_text(fault: Errno) -> String {
    match fault {
        Errno::ENOENT => "file not found".to_owned(),
        Errno::EPERM | Errno::EACCES => "permission denied".to_owned(),
        Errno::ENOTDIR | Errno::ELOOP | Errno::EINVAL | Errno::ENAMETOOLONG => "invalid file".to_owned(),
        other => other.desc().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_directory_is_told_in_binds_words() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(change_directory(file.path()), Err("invalid file".to_owned()));
        assert_eq!(change_directory(Path::new("/no/such/directory")), Err("file not found".to_owned()));
        assert_eq!(change_directory(Path::new(&"x".repeat(300))), Err("invalid file".to_owned()));
    }
}
