//! Secrets in command lines: what follows `--password`, `-p` of programs that take a password so, tokens by their looks,
//! passwords in URLs.

/// What stands in a secret's place.
const MASK: &[u8] = b"xxxxx";

/// Appends the arguments of `raw` (each ended by NUL), separated by blanks, secrets masked. Answers how many were.
/// `arg` is told where each argument lies in `out`.
pub(crate) fn command_line(raw: &[u8], out: &mut Vec<u8>, mut arg: impl FnMut(usize, usize)) -> u64 {
    let mut masker = Masker::default();
    let raw = raw.strip_suffix(b"\0").unwrap_or(raw);
    for (i, argument) in raw.split(|b| *b == 0).enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        let start = out.len();
        masker.argument(argument, out);
        arg(start, out.len());
    }
    masker.masked
}

/// Which letters take a password.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Program {
    /// Nothing in particular.
    #[default]
    Other,
    /// `-pSECRET` in one word; `-p` alone asks for it.
    Attached,
    /// `-X SECRET` or `-XSECRET`, for this letter.
    Letter(u8),
    /// `-u USER:SECRET` and `-U USER:SECRET`.
    UserPassword,
    /// `-U USER%SECRET`.
    UserPercent,
}

/// By the name of the file that is run.
fn program(word: &[u8]) -> Option<Program> {
    let name = word.rsplit(|b| *b == b'/').next().unwrap_or(word);
    Some(match name {
        b"mysql" | b"mysqldump" | b"mysqladmin" | b"mysqlimport" | b"mysqlcheck" | b"mysqlshow"
        | b"mysqlslap" | b"mysqlbinlog" | b"mysqlpump" | b"mysqlsh" | b"mariadb" | b"mariadb-dump"
        | b"mariadb-admin" | b"mariadb-import" | b"mariadb-check" | b"mariadb-backup" | b"xtrabackup"
        | b"7z" | b"7za" | b"7zr" => Program::Attached,
        b"sshpass" | b"mongo" | b"mongosh" | b"mongodump" | b"mongorestore" | b"mongoexport"
        | b"mongoimport" | b"rabbitmqadmin" | b"cqlsh" | b"influx" | b"login" => Program::Letter(b'p'),
        b"redis-cli" | b"valkey-cli" | b"keydb-cli" => Program::Letter(b'a'),
        b"ldapsearch" | b"ldapmodify" | b"ldapadd" | b"ldapdelete" | b"ldappasswd" | b"ldapwhoami" => {
            Program::Letter(b'w')
        }
        b"sqlcmd" | b"bcp" | b"isql" | b"tsql" | b"ipmitool" | b"mosquitto_pub" | b"mosquitto_sub"
        | b"zip" | b"unzip" => Program::Letter(b'P'),
        b"curl" => Program::UserPassword,
        b"smbclient" | b"rpcclient" => Program::UserPercent,
        _ => return None,
    })
}

/// What the next word is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Plain,
    /// All of it is a secret.
    Secret,
    /// What follows this byte in it is.
    Behind(u8),
}

#[derive(Default)]
struct Masker {
    program: Program,
    next: Next,
    masked: u64,
}

impl Masker {
    /// One argument. One that holds blanks (`sh -c '…'`, or a process that wrote its own title) is a command line itself,
    /// unless it is a secret as a whole.
    fn argument(&mut self, argument: &[u8], out: &mut Vec<u8>) {
        if self.next != Next::Plain || !argument.iter().any(u8::is_ascii_whitespace) {
            return self.word(argument, out);
        }
        if let Some(value) = whole(argument) {
            out.extend_from_slice(&argument[..value]);
            return self.mask(out);
        }
        let mut inner = Masker { program: self.program, ..Masker::default() };
        for piece in argument.split_inclusive(u8::is_ascii_whitespace) {
            let end = piece.len() - usize::from(piece.last().is_some_and(u8::is_ascii_whitespace));
            if end > 0 {
                inner.word(&piece[..end], out);
            }
            out.extend_from_slice(&piece[end..]);
        }
        self.masked += inner.masked;
    }

    fn mask(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(MASK);
        self.masked += 1;
    }

    fn word(&mut self, word: &[u8], out: &mut Vec<u8>) {
        match std::mem::take(&mut self.next) {
            // Another option, so the secret is asked for or comes from elsewhere.
            _ if word.starts_with(b"--") => {}
            Next::Plain => {}
            Next::Secret if word.is_empty() => return,
            Next::Secret => return self.mask(out),
            Next::Behind(byte) => return self.behind(byte, word, out),
        }
        if let Some(program) = program(word) {
            self.program = program;
        }
        if let Some(letters) =
            word.strip_prefix(b"-").filter(|w| w.first().is_some_and(u8::is_ascii_alphabetic))
            && self.letter(letters, word, out)
        {
            return;
        }
        let name = word.strip_prefix(b"--").or_else(|| word.strip_prefix(b"-"));
        if let Some(name) = name
            && !name.iter().any(|b| matches!(b, b'=' | b':'))
            && is_secret(name)
        {
            self.next = Next::Secret;
            return out.extend_from_slice(word);
        }
        if matches!(name, Some(b"user" | b"proxy-user")) && self.program == Program::UserPassword {
            self.next = Next::Behind(b':');
            return out.extend_from_slice(word);
        }
        self.inside(word, out);
    }

    /// One-letter options; whether the word was one of them.
    fn letter(&mut self, letters: &[u8], word: &[u8], out: &mut Vec<u8>) -> bool {
        let (first, rest) = (letters[0], &letters[1..]);
        let attached = match self.program {
            Program::Attached => first == b'p' && !rest.is_empty() && !word.starts_with(b"--"),
            Program::Letter(letter) if letter == first => {
                if rest.is_empty() {
                    self.next = Next::Secret;
                }
                !rest.is_empty()
            }
            Program::UserPassword if matches!(first, b'u' | b'U') && rest.is_empty() => {
                self.next = Next::Behind(b':');
                false
            }
            Program::UserPassword if matches!(first, b'u' | b'U') => {
                out.extend_from_slice(&word[..2]);
                self.behind(b':', rest, out);
                return true;
            }
            Program::UserPercent if first == b'U' && rest.is_empty() => {
                self.next = Next::Behind(b'%');
                false
            }
            Program::UserPercent if first == b'U' => {
                out.extend_from_slice(&word[..2]);
                self.behind(b'%', rest, out);
                return true;
            }
            _ => false,
        };
        if attached {
            out.extend_from_slice(&word[..2]);
            self.mask(out);
        }
        attached
    }

    fn behind(&mut self, byte: u8, word: &[u8], out: &mut Vec<u8>) {
        match memchr::memchr(byte, word) {
            Some(at) if at + 1 < word.len() => {
                out.extend_from_slice(&word[..=at]);
                self.mask(out);
            }
            _ => self.inside(word, out),
        }
    }

    /// Secrets within a word: `name=value`, `"name":"value"`, `://user:password@`, tokens.
    fn inside(&mut self, word: &[u8], out: &mut Vec<u8>) {
        let mut rest = word;
        while !rest.is_empty() {
            let Some(at) = rest.iter().position(|b| matches!(b, b'=' | b':')) else { break };
            if rest[at..].starts_with(b"://") {
                out.extend_from_slice(&rest[..at + 3]);
                rest = &rest[at + 3..];
                let end =
                    rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#' | b' ')).unwrap_or(rest.len());
                // The last @ ends the password: it may hold others.
                if let Some(host) = memchr::memrchr(b'@', &rest[..end]) {
                    match memchr::memchr(b':', &rest[..host]) {
                        Some(colon) if colon + 1 < host => {
                            out.extend_from_slice(&rest[..=colon]);
                            self.mask(out);
                        }
                        _ => out.extend_from_slice(&rest[..host]),
                    }
                    rest = &rest[host..];
                }
                continue;
            }
            let name = rest[..at].strip_suffix(b"\"").unwrap_or(&rest[..at]);
            let begin =
                name.iter().rposition(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')));
            let name = &name[begin.map_or(0, |b| b + 1)..];
            let quote = usize::from(rest.get(at + 1).is_some_and(|b| matches!(b, b'"' | b'\'')));
            let value = at + 1 + quote;
            out.extend_from_slice(&rest[..value.min(rest.len())]);
            rest = rest.get(value..).unwrap_or_default();
            if is_secret(name) {
                let end = if quote == 1 {
                    rest.iter().position(|b| matches!(b, b'"' | b'\''))
                } else {
                    rest.iter().position(|b| matches!(b, b'&' | b';' | b',' | b'"' | b'\'' | b'}'))
                };
                let end = end.unwrap_or(rest.len());
                if end > 0 {
                    self.mask(out);
                } else if rest.is_empty() && word.ends_with(b":") {
                    // A header's value is the next word.
                    self.next = Next::Secret;
                }
                rest = &rest[end..];
            }
        }
        if is_token(rest) {
            return self.mask(out);
        }
        if matches!(rest, b"Bearer" | b"bearer" | b"Basic") {
            self.next = Next::Secret;
        }
        out.extend_from_slice(rest);
    }
}

/// Where the value begins of an argument that is nothing but a name and a secret: `Authorization: Bearer …`,
/// `--password=with blanks`.
fn whole(argument: &[u8]) -> Option<usize> {
    let at = argument.iter().position(|b| matches!(b, b':' | b'='))?;
    let name = &argument[..at];
    let plain =
        !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let blanks = argument[at + 1..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    (plain && is_secret(name)).then_some(at + 1 + blanks)
}

/// Whether a name is one of a secret: `--db-password`, `API_KEY`, `authToken`.
fn is_secret(name: &[u8]) -> bool {
    let mut plain = [0u8; 48];
    let mut len = 0;
    for b in name.iter().filter(|b| b.is_ascii_alphanumeric()) {
        // A longer name: its end says what it is.
        if len == plain.len() {
            plain.copy_within(1.., 0);
            len -= 1;
        }
        plain[len] = b.to_ascii_lowercase();
        len += 1;
    }
    let plain = &plain[..len];
    const HARMLESS_ENDS: [&[u8]; 14] = [
        b"file",
        b"path",
        b"dir",
        b"ttl",
        b"length",
        b"policy",
        b"url",
        b"uri",
        b"prompt",
        b"stdin",
        b"name",
        b"type",
        b"expiry",
        b"lifetime",
    ];
    const EXACT: [&[u8]; 14] = [
        b"auth",
        b"pw",
        b"pwd",
        b"cookie",
        b"cookies",
        b"session",
        b"sessionid",
        b"sig",
        b"signature",
        b"masterauth",
        b"psk",
        b"pin",
        b"bearer",
        b"jwt",
    ];
    const WITHIN: [&[u8]; 10] = [
        b"password",
        b"passwd",
        b"passphrase",
        b"secret",
        b"token",
        b"apikey",
        b"accesskey",
        b"privatekey",
        b"credential",
        b"authorization",
    ];
    if HARMLESS_ENDS.iter().any(|end| plain.ends_with(end)) {
        return false;
    }
    EXACT.contains(&plain)
        || plain.ends_with(b"pass")
        || plain.ends_with(b"pwd")
        || WITHIN.iter().any(|part| memchr::memmem::find(plain, part).is_some())
}

/// Tokens that can be known by how they begin.
fn is_token(word: &[u8]) -> bool {
    const BEGIN: [&[u8]; 14] = [
        b"ghp_",
        b"gho_",
        b"ghs_",
        b"ghu_",
        b"github_pat_",
        b"glpat-",
        b"xoxb-",
        b"xoxp-",
        b"sk_live_",
        b"rk_live_",
        b"sk-",
        b"hvs.",
        b"dckr_pat_",
        b"npm_",
    ];
    let long = word.len() >= 20 && !word.contains(&b'/');
    let jwt = word.starts_with(b"eyJ") && word.iter().filter(|b| **b == b'.').count() == 2;
    long && (jwt || BEGIN.iter().any(|begin| word.starts_with(begin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(arguments: &[&str]) -> (String, u64) {
        let raw: Vec<u8> = arguments.iter().flat_map(|a| [a.as_bytes(), b"\0"].concat()).collect();
        let mut out = Vec::new();
        let mut count = 0;
        let masked = command_line(&raw, &mut out, |_, _| count += 1);
        assert_eq!(count, arguments.len());
        (String::from_utf8(out).unwrap(), masked)
    }

    #[test]
    fn what_is_a_secret() {
        for (arguments, expected, masked) in [
            (&["server", "--password=hunter2", "-v"][..], "server --password=xxxxx -v", 1),
            (&["server", "--password", "hunter2", "-v"], "server --password xxxxx -v", 1),
            (&["server", "-password", "hunter 2"], "server -password xxxxx", 1),
            (&["server", "--db-password", "-x1", "--other", "y"], "server --db-password xxxxx --other y", 1),
            (&["/usr/bin/mysql", "-uroot", "-phunter2", "db"], "/usr/bin/mysql -uroot -pxxxxx db", 1),
            (&["mysql", "-p", "-uroot", "db"], "mysql -p -uroot db", 0),
            (&["mysqldump", "--password=a b"], "mysqldump --password=xxxxx", 1),
            (&["sshpass", "-p", "hunter2", "ssh", "h"], "sshpass -p xxxxx ssh h", 1),
            (&["redis-cli", "-a", "hunter2", "ping"], "redis-cli -a xxxxx ping", 1),
            (&["redis-server", "--requirepass", "hunter2"], "redis-server --requirepass xxxxx", 1),
            (&["curl", "-u", "bob:hunter2", "http://h/"], "curl -u bob:xxxxx http://h/", 1),
            (&["curl", "-ubob:hunter2", "--proxy-user", "p:q"], "curl -ubob:xxxxx --proxy-user p:xxxxx", 2),
            (&["curl", "-H", "Authorization: Bearer abc.def"], "curl -H Authorization: xxxxx", 1),
            (&["curl", "-HX-Api-Key: 12345"], "curl -HX-Api-Key: xxxxx", 1),
            (
                &["curl", "https://bob:p@ss@h/x?token=abc&y=1"],
                "curl https://bob:xxxxx@h/x?token=xxxxx&y=1",
                2,
            ),
            (&["app", "postgres://u:pw@db:5432/x"], "app postgres://u:xxxxx@db:5432/x", 1),
            (&["app", "http://host:8080/a@b:c"], "app http://host:8080/a@b:c", 0),
            (&["env", "AWS_SECRET_ACCESS_KEY=abc", "X=1"], "env AWS_SECRET_ACCESS_KEY=xxxxx X=1", 1),
            (&["app", "Server=h;Password=abc;Database=d"], "app Server=h;Password=xxxxx;Database=d", 1),
            (
                &["app", "{\"user\":\"u\",\"password\":\"abc\",\"n\":1}"],
                "app {\"user\":\"u\",\"password\":\"xxxxx\",\"n\":1}",
                1,
            ),
            (
                &["sh", "-c", "mysql -phunter2 | tee --token abc"],
                "sh -c mysql -pxxxxx | tee --token xxxxx",
                2,
            ),
            // It may as well be a password with a blank in it.
            (&["sh", "-c", "PGPASSWORD=abc psql"], "sh -c PGPASSWORD=xxxxx", 1),
            (
                &["app", "--token-file=/run/secrets/t", "--password-file", "/p"],
                "app --token-file=/run/secrets/t --password-file /p",
                0,
            ),
            (&["git", "ghp_0123456789abcdefABCDEF0123456789abcd"], "git xxxxx", 1),
            (&["app", "eyJhbGciOi.eyJzdWIiOiIx.SflKxwRJSMeKKF2QT4"], "app xxxxx", 1),
            (&["docker", "login", "-p", "hunter2", "-u", "u"], "docker login -p xxxxx -u u", 1),
            (&["ldapsearch", "-w", "hunter2"], "ldapsearch -w xxxxx", 1),
            (&["smbclient", "-U", "u%hunter2"], "smbclient -U u%xxxxx", 1),
            (&["server", "--password", "--host", "h"], "server --password --host h", 0),
            (
                &["java", "-Djavax.net.ssl.keyStorePassword=abc"],
                "java -Djavax.net.ssl.keyStorePassword=xxxxx",
                1,
            ),
            (&["a", "", "b"], "a  b", 0),
            (&["postgres: writer process   "], "postgres: writer process   ", 0),
            (&["compass", "bypass=", "password="], "compass bypass= password=", 0),
        ] {
            assert_eq!(mask(arguments), (expected.to_owned(), masked), "{arguments:?}");
        }
    }

    #[test]
    fn arguments_lie_where_they_are_said_to() {
        let mut out = b">".to_vec();
        let mut places = Vec::new();
        command_line(b"a\0--token=x\0\0", &mut out, |from, to| places.push((from, to)));
        let texts: Vec<&[u8]> = places.iter().map(|(from, to)| &out[*from..*to]).collect();
        assert_eq!(texts, [&b"a"[..], b"--token=xxxxx", b""]);
    }

    proptest::proptest! {
        #[test]
        fn anything_ends_and_no_flagged_secret_is_left(
            before in proptest::collection::vec("[ -~]{0,12}", 0..4),
            secret in "[A-Z0-9]{8}",
            noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            let mut out = Vec::new();
            command_line(&noise, &mut out, |_, _| {});
            let mut raw = Vec::new();
            for argument in before.iter().filter(|b| !b.starts_with('-') || b.len() < 2) {
                raw.extend_from_slice(argument.as_bytes());
                raw.push(0);
            }
            for shape in [format!("--password={secret}"), format!("--api-key\0{secret}"), format!("x://u:{secret}@h")] {
                let mut line = raw.clone();
                line.extend_from_slice(b"--\0");
                line.extend_from_slice(shape.as_bytes());
                let mut out = Vec::new();
                command_line(&line, &mut out, |_, _| {});
                proptest::prop_assert!(memchr::memmem::find(&out, secret.as_bytes()).is_none(), "{:?}", String::from_utf8_lossy(&out));
            }
        }
    }
}
