//! The process: into the background, its pid file, its limits.
//!
//! named forks into the background and its parent waits until the child serves. Here the foreground command starts
//! itself once more as a session of its own and reads the verdict from a pipe: no fork, so nothing that must not be
//! done between fork and exec.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Set for the process in the background: standard output is the pipe to the one that waits.
const BACKGROUND: &str = "NOMD_BACKGROUND";
/// What the background process writes once it serves.
const VERDICT: &[u8] = b"ready";

/// Whether this process was started by [`start_in_background`].
pub(super) fn is_in_background() -> bool {
    std::env::var_os(BACKGROUND).is_some()
}

/// Starts this program once more in the background and waits until it serves or has ended.
pub(super) fn start_in_background() -> io::Result<ExitCode> {
    let mut words = std::env::args_os();
    let mut command = Command::new(std::env::current_exe()?);
    if let Some(name) = words.next() {
        std::os::unix::process::CommandExt::arg0(&mut command, name);
    }
    let mut child = command.args(words).env(BACKGROUND, "1").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut verdict = Vec::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut verdict)?;
    }
    if verdict == VERDICT {
        return Ok(ExitCode::SUCCESS);
    }
    child.wait()?;
    Ok(ExitCode::FAILURE)
}

/// Takes the name that start scripts and monitors look for, whatever the program file is called.
pub(super) fn take_name() {
    // Fails only for a name that is too long.
    let _ = nix::sys::prctl::set_name(c"named");
}

/// In the background process: leaves the terminal's session.
pub(super) fn leave_session() {
    // Fails only for a process that leads a session already.
    let _ = nix::unistd::setsid();
}

/// In the background process: tells the one that waits that queries are answered, and lets go of the terminal.
pub(super) fn tell_started() -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(VERDICT)?;
    out.flush()?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdout(&null)?;
    nix::unistd::dup2_stderr(&null)?;
    Ok(())
}

/// A pid file that goes when this does.
#[derive(Debug)]
pub(super) struct PidFile(PathBuf);

impl PidFile {
    /// Writes our process id, making the directory where it is missing.
    pub(super) fn write(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
        }
        // Removed first: a file that another account left behind is not written through.
        let _ = fs::remove_file(path);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self(path.to_owned()))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // It may be in a directory that we may no longer write to; named leaves it then as well.
        let _ = fs::remove_file(&self.0);
    }
}

/// Raises the limit of open files as far as we may: one descriptor for each TCP client and address and worker.
pub(super) fn raise_limits() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // The soft limit stays as it was where the system says no.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_is_there_as_long_as_its_handle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/named.pid");
        let pid_file = PidFile::write(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(pid_file);
        assert!(!path.exists());
    }
}
