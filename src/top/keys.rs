//! What keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::model::Process;

/// By what the table is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Cpu,
    Memory,
    Pid,
    Name,
}

/// How the host is shown.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) sort: Sort,
    pub(super) reverse: bool,
    /// What names, command lines, users and containers must contain.
    pub(super) filter: String,
    /// Whether the filter is being written.
    pub(super) writing: bool,
    pub(super) paused: bool,
    /// Names alone instead of command lines.
    pub(super) names: bool,
    pub(super) help: bool,
    /// The first row shown.
    pub(super) offset: usize,
    /// Rows that fit.
    pub(super) page: usize,
}

/// What follows from a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Quit,
    Draw,
    Nothing,
}

/// The longest filter.
const MAX_FILTER: usize = 64;

impl State {
    pub(super) fn key(&mut self, key: KeyEvent) -> Turn {
        if key.kind == KeyEventKind::Release {
            return Turn::Nothing;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match (key.code, control) {
            (KeyCode::Char('c'), true) => return Turn::Quit,
            (KeyCode::Char(_), true) => return Turn::Nothing,
            _ => {}
        }
        if self.writing {
            match key.code {
                KeyCode::Enter => self.writing = false,
                KeyCode::Esc => {
                    self.writing = false;
                    self.filter.clear();
                }
                KeyCode::Backspace => {
                    self.filter.pop();
                }
                KeyCode::Char(c) if self.filter.len() < MAX_FILTER && !c.is_control() => self.filter.push(c),
                _ => return Turn::Nothing,
            }
            self.offset = 0;
            return Turn::Draw;
        }
        if self.help {
            self.help = false;
            return if key.code == KeyCode::Char('q') { Turn::Quit } else { Turn::Draw };
        }
        match key.code {
            KeyCode::Char('q') => return Turn::Quit,
            KeyCode::Char('c') => self.sort_by(Sort::Cpu),
            KeyCode::Char('m') => self.sort_by(Sort::Memory),
            KeyCode::Char('p') => self.sort_by(Sort::Pid),
            KeyCode::Char('n') => self.sort_by(Sort::Name),
            KeyCode::Char('r') => self.reverse = !self.reverse,
            KeyCode::Char('/' | 'f') => self.writing = true,
            KeyCode::Char('l') => self.names = !self.names,
            KeyCode::Char(' ') => self.paused = !self.paused,
            KeyCode::Char('?' | 'h') => self.help = true,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Down | KeyCode::Char('j') => self.offset = self.offset.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => self.offset = self.offset.saturating_sub(1),
            KeyCode::PageDown => self.offset = self.offset.saturating_add(self.page.max(1)),
            KeyCode::PageUp => self.offset = self.offset.saturating_sub(self.page.max(1)),
            KeyCode::Home => self.offset = 0,
            KeyCode::End => self.offset = usize::MAX,
            _ => return Turn::Nothing,
        }
        Turn::Draw
    }

    fn sort_by(&mut self, sort: Sort) {
        // The same key again turns the order around.
        self.reverse = self.sort == sort && !self.reverse;
        self.sort = sort;
        self.offset = 0;
    }

    /// The processes that the filter leaves, in order.
    pub(super) fn rows<'a>(&self, processes: &'a [Process]) -> Vec<&'a Process> {
        let wanted = self.filter.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let mut rows: Vec<&Process> = processes
            .iter()
            .filter(|p| {
                wanted.is_empty() || has(&p.command) || has(&p.name) || has(&p.user) || has(&p.container)
            })
            .collect();
        match self.sort {
            Sort::Cpu => rows.sort_by(|x, y| y.cpu.unwrap_or(-1.0).total_cmp(&x.cpu.unwrap_or(-1.0))),
            Sort::Memory => rows.sort_by_key(|p| std::cmp::Reverse(p.rss)),
            Sort::Pid => rows.sort_by_key(|p| p.pid),
            Sort::Name => rows.sort_by(|x, y| x.name.cmp(&y.name)),
        }
        if self.reverse {
            rows.reverse();
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(state: &mut State, keys: &str) -> Turn {
        let mut turn = Turn::Nothing;
        for c in keys.chars() {
            let code = match c {
                '\n' => KeyCode::Enter,
                '\u{1b}' => KeyCode::Esc,
                '\u{8}' => KeyCode::Backspace,
                c => KeyCode::Char(c),
            };
            turn = state.key(KeyEvent::new(code, KeyModifiers::NONE));
        }
        turn
    }

    fn process(pid: u64, name: &str, cpu: f64, rss: u64) -> Process {
        Process {
            pid,
            name: name.into(),
            command: format!("/bin/{name} -x"),
            cpu: Some(cpu),
            rss,
            ..Process::default()
        }
    }

    #[test]
    fn keys_sort_filter_and_quit() {
        let all = [process(1, "init", 0.0, 30), process(2, "nginx", 0.5, 20), process(3, "redis", 0.1, 90)];
        let pids = |s: &State| s.rows(&all).iter().map(|p| p.pid).collect::<Vec<_>>();
        let mut state = State::default();
        assert_eq!(pids(&state), [2, 3, 1]);
        press(&mut state, "m");
        assert_eq!(pids(&state), [3, 1, 2]);
        press(&mut state, "mp");
        assert_eq!(pids(&state), [1, 2, 3]);
        press(&mut state, "p");
        assert_eq!(pids(&state), [3, 2, 1], "the same key again");
        press(&mut state, "nr");
        assert_eq!(pids(&state), [3, 2, 1]);
        assert_eq!(press(&mut state, "/qNGx\u{8}"), Turn::Draw, "q is a letter of the filter");
        assert_eq!((state.filter.as_str(), pids(&state).len()), ("qNG", 0));
        press(&mut state, "\u{1b}/NG\n");
        assert_eq!(pids(&state), [2]);
        assert_eq!(press(&mut state, "?x"), Turn::Draw);
        assert!(!state.help);
        assert_eq!(press(&mut state, "q"), Turn::Quit);
        assert_eq!(state.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Turn::Quit);
    }
}
