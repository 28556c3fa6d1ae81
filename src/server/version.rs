//! What nomd calls itself, to people and to programs that look for named.

pub(super) const FULL: &str = concat!("nomd ", env!("CARGO_PKG_VERSION"), " (compatible with BIND 9.18.49)");
/// The first line of the log. It has the words that log watchers know a start by.
pub(super) const BANNER: &str = concat!("BIND 9.18.49 compatible nomd ", env!("CARGO_PKG_VERSION"));

/// The host's system as named words it: system, machine, release and build.
pub(super) fn system() -> String {
    let Ok(uname) = nix::sys::utsname::uname() else { return String::new() };
    let part = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    let parts = [uname.sysname(), uname.machine(), uname.release(), uname.version()];
    parts.map(part).join(" ")
}
