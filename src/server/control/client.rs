//! rndc's side of a conversation, on a blocking socket.
//!
//! Connect, send `null`, take the nonce, send the command with it, take the reply. Whatever breaks off in between is
//! told apart from a refusal only by the connection being closed: the protocol has no error message for that.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use socket2::{Domain, Socket, Type};

use super::auth::{self, Refusal, random_nonce};
use super::result::IscResult;
use super::wire::{FrameError, MAX_REPLY_BYTES, Table};
use crate::dns::Key;

/// How long a server may take for each message.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection.
    #[error("connect failed: {}", super::listener::io_text(.0))]
    Connect(io::Error),
    /// The server closed the connection, which is all that it does when it does not believe us.
    #[error("connection to remote host closed")]
    Closed,
    /// The connection broke or took too long.
    #[error("recv failed: {}", super::listener::io_text(.0))]
    Broken(io::Error),
    /// The reply is not one, or not signed by our key.
    #[error("{0}")]
    BadReply(#[from] Refusal),
}

/// A server's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The outcome.
    pub result: IscResult,
    /// Why it failed, in the server's words.
    pub error: Option<String>,
    /// The text, possibly empty.
    pub text: String,
}

/// Runs one command on a server.
pub fn run(server: SocketAddr, source: Option<SocketAddr>, key: &Arc<Key>, line: &str) -> Result<Answer, ClientError> {
    let mut stream = connect(server, source).map_err(ClientError::Connect)?;
    let serial = random_nonce();
    let greeting = exchange(&mut stream, key, &auth::request("null", serial, now_s(), None))?;
    let nonce = greeting.table("_ctrl").and_then(|control| control.number("_nonce"));
    let body = auth::request(line, serial.wrapping_add(1), now_s(), nonce);
    answer(&exchange(&mut stream, key, &body)?)
}

fn connect(server: SocketAddr, source: Option<SocketAddr>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
    if let Some(source) = source {
        socket.bind(&source.into())?;
    }
    socket.connect_timeout(&server.into(), TIMEOUT)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn exchange(stream: &mut TcpStream, key: &Arc<Key>, body: &Table) -> Result<Table, ClientError> {
    stream.write_all(&auth::seal(body, key)).map_err(broken)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(broken)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_REPLY_BYTES {
        return Err(Refusal::from(FrameError::TooLong).into());
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).map_err(broken)?;
    let (body, _) = auth::open(&frame, std::slice::from_ref(key))?;
    Ok(body)
}

fn broken(error: io::Error) -> ClientError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            ClientError::Closed
        }
        _ => ClientError::Broken(error),
    }
}

fn answer(body: &Table) -> Result<Answer, ClientError> {
    let data = body.table("_data").ok_or(ClientError::BadReply(Refusal::NotARequest))?;
    let code = data.number("result").and_then(|code| u16::try_from(code).ok()).unwrap_or(0);
    let error = data.text("err");
    let result = if error.is_some() && code == 0 { IscResult::FAILURE } else { IscResult::from_code(code) };
    Ok(Answer { result, error, text: data.text("text").unwrap_or_default() })
}

fn now_s() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}
