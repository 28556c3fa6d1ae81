//! Tokens to tree: walks the syntax that the table gives for each statement.
//!
//! Faults carry named's words. As with named, an unknown statement and a missing semicolon are passed over so that more
//! can be found, and any other fault of syntax ends the reading.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Dialect;
use super::Severity;
use super::diagnostics::Diagnostic;
use super::lexer::{LexError, Lexer, Place, Token, line_ends};
use super::pattern;
use super::table::{Kind, Life, Scope, Statement, Stray, Syntax, clause};
use super::tree::{Arena, Block, Item, Node, Tree, Value};
use super::value::integer;

/// The deepest nesting of lists and blocks.
const MAX_DEPTH: usize = 512;
/// The longest token that a message repeats whole.
const MAX_SHOWN: usize = 30;

/// The statements found last: most files have few kinds of them, over and over.
struct Recent<'a>([Option<(Scope, &'a str, &'static Statement)>; RECENT]);

impl Default for Recent<'_> {
    fn default() -> Self {
        Self([None; RECENT])
    }
}

impl<'a> Recent<'a> {
    fn find(&mut self, scope: Scope, name: &'a str) -> Option<&'static Statement> {
        let first = usize::from(name.bytes().next().unwrap_or_default());
        let place = self.0.get_mut((first + 5 * name.len() + 11 * scope as usize) % RECENT)?;
        if let Some((known_scope, known, statement)) = *place
            && (known_scope, known) == (scope, name)
        {
            return Some(statement);
        }
        let statement = scope.find(name)?;
        *place = Some((scope, name, statement));
        Some(statement)
    }
}

/// How many statements are remembered.
const RECENT: usize = 64;

/// The reading cannot go on; the reason has been noted.
pub(super) struct Stop;

/// What is read, and whose judgement counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    /// The block that the file is.
    pub(crate) scope: Scope,
    /// How strictly.
    pub(crate) dialect: Dialect,
}

/// Reads the file `path` as a block of `scope`. The tree is missing where the text is wrong.
pub(crate) fn file<'a>(arena: &'a Arena, path: &Path, how: How) -> (Option<Tree<'a>>, Vec<Diagnostic>) {
    file_within(arena, Path::new(""), path, how)
}

/// The same for a host whose root directory is `root`; empty: this one. Paths are named as on that host.
pub(crate) fn file_within<'a>(
    arena: &'a Arena,
    root: &Path,
    path: &Path,
    how: How,
) -> (Option<Tree<'a>>, Vec<Diagnostic>) {
    let mut parser = Parser { root: root.to_owned(), ..Parser::new(arena, how) };
    let shown = path.display().to_string();
    if let Err(error) = parser.lexer.open(&parser.on_disk(path), &shown) {
        return (None, vec![unopened(&shown, &error)]);
    }
    parser.run()
}

/// Reads text that is at hand, called `name` in messages.
#[cfg(test)]
pub(crate) fn text<'a>(arena: &'a Arena, name: &str, text: &[u8], how: How) -> (Option<Tree<'a>>, Vec<Diagnostic>) {
    let mut parser = Parser::new(arena, how);
    parser.lexer.push(name, arena.text(&String::from_utf8_lossy(text)));
    parser.run()
}

/// A file cannot be read. BIND finds out that one is a directory when it reads its first line.
fn unopened(shown: &str, error: &std::io::Error) -> Diagnostic {
    let (file, line, message) = match error.kind() {
        ErrorKind::IsADirectory => (shown.into(), 1, format!("{} ", fault_text(error))),
        _ => ("".into(), 0, format!("open: {shown}: {}", fault_text(error))),
    };
    Diagnostic { severity: Severity::Error, file, line, message }
}

/// A fault of the file system in BIND's words.
fn fault_text(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "file not found".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "not a file".to_owned(),
        ErrorKind::InvalidInput | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => "invalid file".to_owned(),
        ErrorKind::Other => "too many open files".to_owned(),
        _ => error.to_string(),
    }
}

pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    arena: &'a Arena,
    how: How,
    ahead: Option<Token<'a>>,
    /// Items and elements of lists that are being read, those of the innermost last.
    elements: Vec<&'a [Item<'a>]>,
    nodes: Vec<Node<'a>>,
    recent: Recent<'a>,
    /// How the last token is written.
    pub(super) raw: &'a str,
    faults: Vec<Diagnostic>,
    /// Where relative includes are looked for: the last `directory`.
    base: PathBuf,
    /// The root directory of the host whose files these are; empty: this one.
    root: PathBuf,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(arena: &'a Arena, how: How) -> Self {
        Self {
            lexer: Lexer::new(arena),
            arena,
            how,
            ahead: None,
            elements: Vec::new(),
            nodes: Vec::new(),
            recent: Recent::default(),
            raw: "",
            faults: Vec::new(),
            root: PathBuf::new(),
            base: PathBuf::new(),
            depth: 0,
        }
    }

    fn run(mut self) -> (Option<Tree<'a>>, Vec<Diagnostic>) {
        let root = self.root(self.how.scope).ok();
        let broken = self.has_failed();
        let files = self.lexer.files().to_vec();
        let tree = root.filter(|_| !broken).map(|root| Tree { files, root });
        (tree, self.faults)
    }

    /// Whose judgement counts.
    pub(super) fn dialect(&self) -> Dialect {
        self.how.dialect
    }

    fn has_failed(&self) -> bool {
        self.faults.iter().any(|fault| fault.severity == Severity::Error)
    }

    fn root(&mut self, scope: Scope) -> Result<Block<'a>, Stop> {
        let block = self.body(scope)?;
        match self.next()? {
            Token::End => Ok(block),
            // BIND looks no further once it has passed over a fault.
            _ if self.has_failed() => Err(Stop),
            token => Err(self.fail_near("syntax error", &token)),
        }
    }

    /// Statements up to something that cannot start one.
    fn body(&mut self, scope: Scope) -> Result<Block<'a>, Stop> {
        let first = self.nodes.len();
        let mut items = Vec::new();
        while let Token::Word(name) = *self.peek()? {
            self.next()?;
            if name.eq_ignore_ascii_case("include") {
                self.include()?;
                continue;
            }
            match self.recent.find(scope, name).filter(|statement| statement.is_known_to(self.how.dialect)) {
                Some(statement) => self.known(scope, statement, name, first, &mut items)?,
                None => self.unknown(name)?,
            }
        }
        let block = self.arena.slice(self.nodes.get(first..).unwrap_or_default());
        self.nodes.truncate(first);
        Ok(Block(block))
    }

    /// Reads a statement; those of its block so far are the nodes from `first` on. `items` is memory to use.
    fn known(
        &mut self,
        scope: Scope,
        statement: &'static Statement,
        name: &str,
        first: usize,
        items: &mut Vec<Item<'a>>,
    ) -> Result<(), Stop> {
        self.note_life(statement)?;
        let block = Block(self.nodes.get(first..).unwrap_or_default());
        if !statement.repeats && block.0.iter().any(|node| node.statement.clause == statement.clause) {
            return Err(self.fail_near(&format!("'{}' redefined", statement.name), &Token::Word(name)));
        }
        let place = self.lexer.place();
        items.clear();
        self.syntax(&statement.syntax, items)?;
        self.stray(statement.stray)?;
        let node = Node { statement, place, items: self.arena.slice(items) };
        if scope == Scope::Options && statement.clause == clause::DIRECTORY {
            self.change_directory(&node)?;
        }
        self.nodes.push(node);
        self.semicolon()
    }

    /// Judges a word too many.
    fn stray(&mut self, fate: Stray) -> Result<(), Stop> {
        let token = *self.peek()?;
        match (fate, token) {
            (Stray::Unexpected, _) => self.refuse_word(),
            (Stray::Refused, Token::Word(_)) => Err(self.fail_near("unexpected token", &token)),
            (Stray::Dropped, Token::Word(_)) => self.next().map(drop),
            _ => Ok(()),
        }
    }

    fn note_life(&mut self, statement: &Statement) -> Result<(), Stop> {
        let name = statement.name;
        match statement.life_in(self.how.dialect) {
            Life::Current => {}
            // BIND's message ends in a blank.
            Life::Obsolete => self.warn(format!("option '{name}' is obsolete and should be removed ")),
            Life::Deprecated => self.warn(format!("option '{name}' is deprecated")),
            Life::Ancient => self.fail_or_warn(format!("option '{name}' no longer exists"))?,
            Life::NotBuilt => self.fail_or_warn(format!("option '{name}' was not enabled at compile time"))?,
        }
        Ok(())
    }

    /// What stops named but may well stand in the configuration of a host that moves.
    fn fail_or_warn(&mut self, message: String) -> Result<(), Stop> {
        match self.how.dialect {
            Dialect::Nomd => self.warn(message),
            Dialect::Bind918 | Dialect::Bind920 => return Err(self.fail(message)),
        }
        Ok(())
    }

    /// Says so and passes over the statement.
    fn unknown(&mut self, name: &str) -> Result<(), Stop> {
        let shown = self.shown_token(&Token::Word(name));
        self.note(Severity::Error, format!("unknown option {shown}"));
        let mut braces = 0u32;
        loop {
            match self.peek()? {
                Token::Special(b';') if braces == 0 => return self.semicolon(),
                Token::Special(b'{') => braces += 1,
                Token::Special(b'}') if braces > 0 => braces -= 1,
                Token::Unclosed => return Err(self.unclosed()),
                Token::End | Token::Special(b'}') => {
                    let token = self.next()?;
                    return Err(self.fail_near("unexpected token", &token));
                }
                _ => {}
            }
            self.next()?;
        }
    }

    fn include(&mut self) -> Result<(), Stop> {
        let name = match self.next()? {
            Token::Quoted(name, _) => name,
            Token::Unclosed => return Err(self.unclosed()),
            token => return Err(self.fail_near("expected quoted string", &token)),
        };
        self.semicolon()?;
        let found = pattern::expand(&self.on_disk(&self.base.join(name)));
        if found.is_empty() {
            return Err(self.fail_in_general("file not found"));
        }
        let depth = self.lexer.depth_of_includes();
        for path in found {
            let shown = self.shown(&path);
            if let Err(error) = self.lexer.include(&path, &shown, depth) {
                let fault = unopened(&shown, &error);
                match fault.file.is_empty() {
                    true => self.note(fault.severity, fault.message),
                    false => self.faults.push(fault),
                }
                return Err(Stop);
            }
        }
        Ok(())
    }

    /// Where a file of the host is.
    fn on_disk(&self, path: &Path) -> PathBuf {
        match self.root.as_os_str().is_empty() {
            true => path.to_owned(),
            false => self.root.join(path.strip_prefix("/").unwrap_or(path)),
        }
    }

    /// A file's name on its host.
    fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.root) {
            Ok(rest) if !self.root.as_os_str().is_empty() => Path::new("/").join(rest).display().to_string(),
            _ => path.display().to_string(),
        }
    }

    /// `directory` takes effect at once: later includes are relative to it.
    fn change_directory(&mut self, node: &Node<'_>) -> Result<(), Stop> {
        let Some(path) = node.text() else { return Ok(()) };
        self.base = self.base.join(path);
        match std::fs::metadata(self.on_disk(&self.base)) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(self.fail_directory(path, "invalid file")),
            Err(error) => Err(self.fail_directory(path, &fault_text(&error))),
        }
    }

    fn fail_directory(&mut self, path: &str, why: &str) -> Stop {
        let has_failed = self.has_failed();
        // BIND's message ends its line itself.
        self.fail(format!("change directory to '{path}' failed: {why}\n"));
        if has_failed { Stop } else { self.fail(format!("parsing failed: {why}")) }
    }

    /// BIND's word for a fault that has no message of its own; it has none after another fault.
    pub(super) fn fail_in_general(&mut self, why: &str) -> Stop {
        if self.has_failed() { Stop } else { self.fail(format!("parsing failed: {why}")) }
    }

    fn syntax(&mut self, syntax: &'static Syntax, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        match syntax {
            Syntax::Word(word) => self.word(word, out),
            Syntax::Value(kind) => self.value(*kind, out),
            Syntax::Sequence(parts) => self.sequence(parts, out),
            Syntax::OneOf(choices) => self.choice(choices, out),
            Syntax::Optional(inner) => match starts(inner, self.peek()?) {
                true => self.syntax(inner, out),
                false => Ok(()),
            },
            Syntax::AnyOrder(parts) => self.any_order(parts, out),
            Syntax::List(element) => self.list(element, out),
            Syntax::Block(scope) => self.block(*scope, out),
        }
    }

    fn sequence(&mut self, parts: &'static [Syntax], out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let mut may_be_more = false;
        for part in parts {
            if may_be_more && matches!(part, Syntax::List(Syntax::Value(Kind::AddressMatch))) {
                self.refuse_word()?;
            }
            self.syntax(part, out)?;
            may_be_more = matches!(part, Syntax::Optional(_) | Syntax::AnyOrder(_));
        }
        Ok(())
    }

    /// A word where one of several that may come in any order could have been has a message of its own.
    fn refuse_word(&mut self) -> Result<(), Stop> {
        match *self.peek()? {
            Token::Word(text) => Err(self.fail(format!("unexpected '{text}'"))),
            _ => Ok(()),
        }
    }

    fn word(&mut self, word: &'static str, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        match self.next()? {
            Token::Word(text) if text.eq_ignore_ascii_case(word) => self.push(out, Value::Word(word)),
            token => return Err(self.fail_near(&format!("expected '{word}'"), &token)),
        }
        Ok(())
    }

    /// The first choice whose word fits; else one that is a value; else a fault.
    fn choice(&mut self, choices: &'static [Syntax], out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.peek()?;
        if let Some(fitting) = choices.iter().find(|choice| !is_value(choice) && starts(choice, token)) {
            return self.syntax(fitting, out);
        }
        if let Some(value) = choices.iter().find(|choice| is_value(choice)) {
            return self.syntax(value, out);
        }
        // What may be a list is looked at, not taken.
        if choices.iter().any(|choice| matches!(choice, Syntax::List(_))) {
            return Err(self.fail_in_general("unexpected token"));
        }
        match self.next()? {
            Token::Word(text) => Err(self.fail(format!("'{text}' unexpected"))),
            token => Err(self.fail_near("expected unquoted string", &token)),
        }
    }

    fn any_order(&mut self, parts: &'static [Syntax], out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let mut left: Vec<&'static Syntax> = parts.iter().collect();
        loop {
            let token = self.peek()?;
            let Some(at) = left.iter().position(|part| starts(part, token)) else { return Ok(()) };
            self.syntax(left.remove(at), out)?;
        }
    }

    pub(super) fn list(&mut self, element: &'static Syntax, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let (place, raw) = self.open()?;
        let (first_item, first_element) = (out.len(), self.elements.len());
        while *self.peek()? != Token::Special(b'}') {
            self.syntax(element, out)?;
            if ends_in_any_order(element) {
                self.refuse_word()?;
            }
            self.semicolon()?;
            self.elements.push(self.arena.slice(out.get(first_item..).unwrap_or_default()));
            out.truncate(first_item);
        }
        self.close()?;
        let list = self.arena.slice(self.elements.get(first_element..).unwrap_or_default());
        self.elements.truncate(first_element);
        out.push(Item { place, raw, value: Value::List(list) });
        Ok(())
    }

    fn block(&mut self, scope: Scope, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let (place, raw) = self.open()?;
        let block = self.body(scope)?;
        self.close()?;
        out.push(Item { place, raw, value: Value::Block(block) });
        Ok(())
    }

    /// Takes the opening brace.
    fn open(&mut self) -> Result<(Place, &'a str), Stop> {
        self.special(b'{')?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fail("nested too deeply".to_owned()));
        }
        Ok((self.lexer.place(), self.raw))
    }

    /// Takes the closing brace.
    fn close(&mut self) -> Result<(), Stop> {
        self.depth -= 1;
        self.special(b'}')
    }

    pub(super) fn special(&mut self, wanted: u8) -> Result<(), Stop> {
        match self.next()? {
            Token::Special(byte) if byte == wanted => Ok(()),
            token => Err(self.fail_near(&format!("'{}' expected", wanted as char), &token)),
        }
    }

    /// A missing semicolon is noted and passed over.
    fn semicolon(&mut self) -> Result<(), Stop> {
        if *self.peek()? == Token::Special(b';') {
            self.next()?;
            return Ok(());
        }
        let token = *self.peek()?;
        let shown = self.shown_token(&token);
        self.note_before(&token, format!("missing ';' before {shown}"));
        Ok(())
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, Stop> {
        let token = match self.ahead.take() {
            Some(token) => token,
            None => self.fetch()?,
        };
        self.raw = match token {
            Token::Word(raw) | Token::Quoted(_, raw) => raw,
            Token::Special(_) | Token::Unclosed | Token::End => "",
        };
        Ok(token)
    }

    /// Takes the next token if it is this word.
    pub(super) fn takes(&mut self, wanted: &str) -> Result<bool, Stop> {
        let is_there = matches!(self.peek()?, Token::Word(word) if word.eq_ignore_ascii_case(wanted));
        if is_there {
            self.next()?;
        }
        Ok(is_there)
    }

    #[inline]
    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Stop> {
        let token = match self.ahead.take() {
            Some(token) => token,
            None => self.fetch()?,
        };
        Ok(self.ahead.insert(token))
    }

    fn fetch(&mut self) -> Result<Token<'a>, Stop> {
        self.lexer.token().map_err(|error| self.unreadable(error))
    }

    pub(super) fn unreadable(&mut self, error: LexError) -> Stop {
        // BIND's message ends in a blank where it has no token to show.
        self.fail(format!("{error} "))
    }

    pub(super) fn push(&self, out: &mut Vec<Item<'a>>, value: Value<'a>) {
        out.push(Item { place: self.lexer.place(), raw: self.raw, value });
    }

    pub(super) fn fail_near(&mut self, what: &str, token: &Token<'_>) -> Stop {
        let shown = self.shown_token(token);
        self.note_before(token, format!("{what} near {shown}"));
        Stop
    }

    /// The last token as messages show it.
    fn shown_token(&self, token: &Token<'_>) -> String {
        match token {
            Token::Word(text) => format!("'{}'", shorten(self.lexer.whole(text))),
            Token::Quoted(..) | Token::Unclosed => "'\"'".to_owned(),
            Token::Special(byte) => format!("'{}'", *byte as char),
            Token::End => "end of file".to_owned(),
        }
    }

    /// Notes a fault at the last token. A string that is not wanted is to BIND its first quote.
    fn note_before(&mut self, token: &Token<'_>, message: String) {
        let mut place = self.lexer.place();
        if let Token::Quoted(_, raw) = token {
            place.line -= line_ends(raw.as_bytes());
        }
        self.note_at(place, Severity::Error, message);
    }

    /// The end of the file where that of a string was expected.
    pub(super) fn unclosed(&mut self) -> Stop {
        let error = self.lexer.skip_to_end();
        self.unreadable(error)
    }

    pub(super) fn fail(&mut self, message: String) -> Stop {
        self.note(Severity::Error, message);
        Stop
    }

    pub(super) fn warn(&mut self, message: String) {
        self.note(Severity::Warning, message);
    }

    fn note(&mut self, severity: Severity, message: String) {
        self.note_at(self.lexer.place(), severity, message);
    }

    fn note_at(&mut self, place: Place, severity: Severity, message: String) {
        let file = self.lexer.files().get(place.file as usize).cloned().unwrap_or_default();
        self.faults.push(Diagnostic { severity, file, line: place.line, message });
    }
}

fn is_value(syntax: &Syntax) -> bool {
    matches!(syntax, Syntax::Value(_))
}

fn ends_in_any_order(syntax: &Syntax) -> bool {
    matches!(syntax, Syntax::Sequence([.., Syntax::AnyOrder(_)]))
}

/// Whether `token` can be the first of what `syntax` stands for.
fn starts(syntax: &Syntax, token: &Token<'_>) -> bool {
    match syntax {
        Syntax::Word(word) => matches!(token, Token::Word(text) if text.eq_ignore_ascii_case(word)),
        Syntax::Value(Kind::Text) | Syntax::List(_) | Syntax::Block(_) => *token == Token::Special(b'{'),
        Syntax::Value(Kind::Integer) => matches!(token, Token::Word(word) if integer(word).is_some()),
        Syntax::Value(Kind::Bare) => matches!(token, Token::Word(_)),
        Syntax::Value(_) => is_text(token),
        Syntax::OneOf(choices) => choices.iter().any(|choice| starts(choice, token)),
        Syntax::Sequence(parts) => parts.first().is_some_and(|first| starts(first, token)),
        Syntax::AnyOrder(parts) => parts.iter().any(|part| starts(part, token)),
        Syntax::Optional(inner) => starts(inner, token),
    }
}

/// Whether a token is a word or string, or the start of one.
pub(super) fn is_text(token: &Token<'_>) -> bool {
    matches!(token, Token::Word(_) | Token::Quoted(..) | Token::Unclosed)
}

/// The start of a long token, of which BIND shows no NUL and nothing behind it.
fn shorten(text: &str) -> String {
    let (start, dots) = match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => (text.get(..end).unwrap_or(text), "..."),
        None => (text, ""),
    };
    format!("{}{dots}", start.split('\0').next().unwrap_or_default())
}
