//! Draws the host: a few lines of bars and rates, then processes. Everything that matters fits into 80 columns and 24
//! lines.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Row, Table};

use super::format::{bytes, duration, percent};
use super::keys::{Sort, State};
use super::model::{Model, Process};

/// Lines above the table.
const HEAD: u16 = 8;

const HELP: &str = "\
c  sort by CPU          /  filter: name, command, user, container
m  sort by memory       Esc  no filter
p  sort by number       l  names or command lines
n  sort by name         space  pause
r  other way round      ↑ ↓ PgUp PgDn Home End  move
q  quit                 any key closes this";

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, state: &mut State) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(HEAD), Constraint::Min(1), Constraint::Length(1)])
            .areas(frame.area());
    frame.render_widget(Paragraph::new(summary(model, head.width)), head);
    table(frame, body, model, state);
    frame.render_widget(Paragraph::new(footer(model, state)), foot);
    if state.help {
        let area = frame.area();
        let width = area.width.min(72);
        let height = area.height.min(8);
        let middle = Rect::new((area.width - width) / 2, (area.height - height) / 2, width, height);
        frame.render_widget(Clear, middle);
        frame.render_widget(Paragraph::new(HELP).block(Block::bordered().title(" keys ")), middle);
    }
}

fn summary(model: &Model, width: u16) -> Vec<Line<'static>> {
    let [one, five, fifteen] = model.load;
    let title = vec![
        "wirebeat top ".bold(),
        format!("{}  up {}  ", model.host, duration(model.uptime)).into(),
        "load ".dim(),
        load(one, model.cores),
        format!(" {five:.2} {fifteen:.2}  {} cores", model.cores).into(),
        if model.containers > 0 { format!("  {} containers", model.containers).into() } else { "".into() },
    ];
    let mut lines = vec![Line::from(title), cpu(model, width)];
    lines.push(modes(model));
    let memory = model.memory;
    let text = format!(
        " {} of {}, {} available, {} cache",
        bytes(memory.used),
        bytes(memory.total),
        bytes(memory.available),
        bytes(memory.cached)
    );
    lines.push(gauge(
        "Mem ",
        &[(memory.used, Color::Green), (memory.cached, Color::Blue)],
        memory.total,
        text,
        width,
    ));
    let text = if memory.swap_total > 0.0 {
        format!(" {} of {}", bytes(memory.swap_used), bytes(memory.swap_total))
    } else {
        " none".to_owned()
    };
    lines.push(gauge("Swap", &[(memory.swap_used, Color::Red)], memory.swap_total, text, width));
    lines.push(network(model));
    lines.push(disks(model));
    lines.push(tasks(model));
    lines
}

fn load(one: f64, cores: u64) -> Span<'static> {
    let text = format!("{one:.2}");
    match one / cores as f64 {
        n if n > 2.0 => text.red().bold(),
        n if n > 1.0 => text.yellow(),
        _ => text.green(),
    }
}

/// Colours of the modes, in the order of the model's: user, nice, system, idle, iowait, irq, softirq, steal.
const COLOURS: [Color; 8] = [
    Color::Green,
    Color::Blue,
    Color::Red,
    Color::Reset,
    Color::Yellow,
    Color::Magenta,
    Color::Magenta,
    Color::Cyan,
];
const SHORT: [&str; 8] = ["user", "nice", "sys", "idle", "wait", "irq", "soft", "steal"];

fn cpu(model: &Model, width: u16) -> Line<'static> {
    let text = model.busy.map_or(" measuring".to_owned(), |busy| format!(" {:.1} %", busy * 100.0));
    let parts: Vec<(f64, Color)> =
        [0, 1, 2, 5, 6, 7, 4].into_iter().filter_map(|m| Some((*model.modes.get(m)?, COLOURS[m]))).collect();
    gauge("CPU ", &parts, 1.0, text, width)
}

fn modes(model: &Model) -> Line<'static> {
    let mut spans = vec!["     ".into()];
    for ((mode, name), colour) in model.modes.iter().zip(SHORT).zip(COLOURS) {
        spans.push(Span::styled(format!("{name} "), Style::new().fg(colour)));
        spans.push(format!("{:.1}  ", mode * 100.0).into());
    }
    Line::from(spans)
}

/// A bar of coloured parts of a whole.
fn gauge(name: &'static str, parts: &[(f64, Color)], whole: f64, text: String, width: u16) -> Line<'static> {
    let room = usize::from(width.saturating_sub(8) / 2).clamp(8, 60);
    let mut spans = vec![name.bold(), " [".dim()];
    let (mut sum, mut drawn) = (0.0, 0);
    for (part, colour) in parts {
        sum += if whole > 0.0 { part / whole } else { 0.0 };
        let to = ((sum * room as f64).round().max(0.0) as usize).min(room);
        if to > drawn {
            spans.push(Span::styled("|".repeat(to - drawn), Style::new().fg(*colour)));
            drawn = to;
        }
    }
    spans.push(" ".repeat(room - drawn).into());
    spans.push("]".dim());
    spans.push(text.into());
    Line::from(spans)
}

fn network(model: &Model) -> Line<'static> {
    let mut spans = vec!["Net ".bold()];
    for interface in model.interfaces.iter().take(4) {
        let (received, sent) = interface.rates.unwrap_or((0.0, 0.0));
        spans.push(format!(" {} ", interface.name).dim());
        spans.push(format!("↓{}/s ↑{}/s", bytes(received), bytes(sent)).into());
        if interface.errors + interface.dropped > 0 {
            spans.push(format!(" {} err {} drop", interface.errors, interface.dropped).yellow());
        }
    }
    Line::from(spans)
}

fn disks(model: &Model) -> Line<'static> {
    let mut spans = vec!["Disk".bold()];
    for disk in model.disks.iter().take(2) {
        spans.push(format!(" {} ", disk.name).dim());
        let busy = format!("r {}/s w {}/s {:.0} %", bytes(disk.read), bytes(disk.write), disk.busy * 100.0);
        spans.push(if disk.busy > 0.9 { busy.red() } else { busy.into() });
    }
    for filesystem in model.filesystems.iter().take(3) {
        spans.push(format!("  {} ", filesystem.point).dim());
        let text = format!("{:.0} % full, {} left", filesystem.used * 100.0, bytes(filesystem.available));
        spans.push(if filesystem.used > 0.9 { text.red() } else { text.into() });
    }
    Line::from(spans)
}

fn tasks(model: &Model) -> Line<'static> {
    let mut spans = vec!["Proc".bold(), format!(" {}", model.tasks).into()];
    for (state, n) in &model.states {
        let text = format!(" {n} {state}");
        spans.push(if *state == "zombie" { text.red() } else { text.dim() });
    }
    if !model.sockets.is_empty() {
        spans.push("  Sockets".bold());
        spans.extend(model.sockets.iter().map(|(name, n)| format!(" {n} {name}").dim()));
    }
    Line::from(spans)
}

fn table(frame: &mut Frame<'_>, area: Rect, model: &Model, state: &mut State) {
    let rows = state.rows(&model.processes);
    state.page = usize::from(area.height.saturating_sub(1));
    state.offset = state.offset.min(rows.len().saturating_sub(state.page.max(1)));
    let wide = area.width >= 100;
    let containers = rows.iter().any(|p| !p.container.is_empty());
    let mut widths = vec![
        Constraint::Length(7),
        Constraint::Length(if wide { 12 } else { 8 }),
        Constraint::Length(1),
        Constraint::Length(6),
        Constraint::Length(5),
        Constraint::Length(6),
        Constraint::Length(4),
    ];
    let mut titles = vec!["    PID", "USER", "S", "  CPU%", " MEM%", "   RSS", " THR"];
    if wide {
        widths.push(Constraint::Length(6));
        titles.push("   FDS");
    }
    if containers {
        widths.push(Constraint::Length(12));
        titles.push("CONTAINER");
    }
    widths.push(Constraint::Min(10));
    titles.push(if state.names { "NAME" } else { "COMMAND" });
    let sorted = match state.sort {
        Sort::Cpu => 3,
        Sort::Memory => 4,
        Sort::Pid => 0,
        Sort::Name => titles.len() - 1,
    };
    let bold = Style::new().add_modifier(Modifier::REVERSED);
    let head = titles.iter().enumerate().map(|(i, title)| {
        let style = if i == sorted { bold.add_modifier(Modifier::BOLD).fg(Color::Cyan) } else { bold };
        Span::styled((*title).to_owned(), style)
    });
    let shown =
        rows.iter().skip(state.offset).take(state.page).map(|p| row(p, wide, containers, state.names));
    frame.render_widget(Table::new(shown, widths).header(Row::new(head).style(bold)), area);
}

fn row(p: &Process, wide: bool, containers: bool, names: bool) -> Row<'static> {
    let state = match p.state.as_str() {
        "disk_sleep" => "D".to_owned(),
        other => other.chars().take(1).flat_map(char::to_uppercase).collect(),
    };
    let mut cells = vec![
        format!("{:>7}", p.pid),
        p.user.clone(),
        state,
        format!("{:>6}", percent(p.cpu)),
        format!("{:>5}", percent(p.memory)),
        format!("{:>6}", bytes(p.rss as f64)),
        format!("{:>4}", p.threads),
    ];
    if wide {
        cells.push(format!("{:>6}", p.files.map_or("-".to_owned(), |n| n.to_string())));
    }
    if containers {
        cells.push(p.container.clone());
    }
    cells.push(if names { p.name.clone() } else { p.command.clone() });
    let style = match p.cpu.unwrap_or(0.0) {
        cpu if cpu >= 0.9 => Style::new().fg(Color::Red),
        cpu if cpu >= 0.2 => Style::new().fg(Color::Yellow),
        _ if p.state == "zombie" => Style::new().fg(Color::Magenta),
        _ => Style::new(),
    };
    Row::new(cells).style(style)
}

fn footer(model: &Model, state: &State) -> Line<'static> {
    if state.writing {
        return Line::from(vec!["filter: ".bold(), state.filter.clone().into(), "▏".into()]);
    }
    let mut spans = vec!["c".bold(), "pu ".into(), "m".bold(), "em ".into(), "p".bold(), "id ".into()];
    spans.extend(["n".bold(), "ame ".into(), "r".bold(), "everse ".into(), "/".bold(), "filter ".into()]);
    spans.extend(["l".bold(), "ines ".into(), "?".bold(), "help ".into(), "q".bold(), "uit  ".into()]);
    let clock = model.at.to_string();
    spans.push(format!("{} UTC ", clock.get(11..19).unwrap_or_default()).dim());
    if !state.filter.is_empty() {
        spans.push(format!("filter: {} ", state.filter).cyan());
    }
    if state.paused {
        spans.push("paused".yellow().bold());
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::format::harmless;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn screen(width: u16, height: u16, model: &Model, state: &mut State) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, model, state)).unwrap();
        let buffer = terminal.backend().buffer();
        (0..height)
            .map(|y| {
                (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned() + "\n"
            })
            .collect()
    }

    /// This machine, measured twice.
    fn model() -> Model {
        let mut model = Model::new(crate::engine::schema());
        let options =
            wirebeat_system::Options { top: Some((500, 500)), ..wirebeat_system::Options::default() };
        let mut metrics = wirebeat_system::Metrics::new(&options).unwrap();
        for _ in 0..2 {
            model.take(metrics.period(wirebeat_model::Time::now()));
            std::thread::sleep(std::time::Duration::from_millis(60));
        }
        model
    }

    #[test]
    fn all_of_it_fits_into_80_by_24() {
        let mut model = model();
        model.processes.push(Process {
            pid: 7,
            name: harmless("evil\u{1b}[2J"),
            command: harmless("evil\u{1b}]0;x\u{7} --x"),
            cpu: Some(99.0),
            ..Process::default()
        });
        let mut state = State::default();
        let shown = screen(80, 24, &model, &mut state);
        for part in [
            "wirebeat top",
            "load",
            "CPU  [",
            "Mem  [",
            "Swap [",
            "Net ",
            "Disk",
            "Proc",
            "PID USER",
            "COMMAND",
            "evil?]0;x? --x",
            "quit",
        ] {
            assert!(shown.contains(part), "{part} in\n{shown}");
        }
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'));
        state.help = true;
        assert!(screen(80, 24, &model, &mut state).contains("sort by memory"));
    }

    #[test]
    fn any_size_is_drawn() {
        let model = model();
        for (width, height) in [(1, 1), (3, 2), (20, 9), (79, 10), (300, 100)] {
            let mut state = State { help: true, offset: usize::MAX, ..State::default() };
            screen(width, height, &model, &mut state);
        }
    }
}
