//! `wirebeat top`: measurements of the host in the terminal.

mod format;
mod keys;
mod model;
mod view;

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event as Input};
use wirebeat_model::Time;
use wirebeat_system::{Metrics, Options};

use crate::measure::on_signals;

use keys::{State, Turn};
use model::Model;

/// How often a signal or a key is looked for.
const PATIENCE: Duration = Duration::from_millis(50);
/// Processes in the table, by CPU and by memory: on most hosts all.
const ROWS: usize = 500;

/// Shows the host in the terminal until `q`, a signal or `count` periods. The terminal is given back as it was, also after
/// a panic.
///
/// # Errors
/// When the host cannot be measured or there is no terminal.
pub fn show(options: &Options, count: Option<u64>) -> io::Result<()> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(io::Error::other("no terminal to show it in; --json writes lines of JSON"));
    }
    let stop = on_signals()?;
    let mut options = options.clone();
    options.top = Some((ROWS, ROWS));
    let mut metrics = Metrics::new(&options)?;
    let mut terminal = ratatui::try_init()?;
    let result = run(&mut terminal, &mut metrics, options.period, count, &stop);
    ratatui::try_restore()?;
    result
}

fn run(
    terminal: &mut ratatui::DefaultTerminal,
    metrics: &mut Metrics,
    period: Duration,
    count: Option<u64>,
    stop: &AtomicBool,
) -> io::Result<()> {
    let (mut model, mut state) = (Model::new(crate::engine::schema()), State::default());
    // Shares need two measurements: the second one soon.
    let mut due = Instant::now();
    let mut measured = 0;
    while !stop.load(Ordering::Relaxed) {
        if due <= Instant::now() && !state.paused {
            let first = measured == 0;
            let events = metrics.period(Time::now());
            model.take(events);
            measured += 1;
            due = Instant::now() + if first { period.min(Duration::from_millis(500)) } else { period };
            if count.is_some_and(|count| measured >= count) {
                return Ok(());
            }
        }
        terminal.draw(|frame| view::draw(frame, &model, &mut state))?;
        let left = due.saturating_duration_since(Instant::now());
        // Short, so that a signal is heard.
        let until = Instant::now() + if state.paused { PATIENCE * 4 } else { left };
        while Instant::now() < until && !stop.load(Ordering::Relaxed) {
            if !event::poll(PATIENCE.min(until.saturating_duration_since(Instant::now())))? {
                continue;
            }
            match event::read()? {
                Input::Key(key) => match state.key(key) {
                    Turn::Quit => return Ok(()),
                    Turn::Draw => break,
                    Turn::Nothing => {}
                },
                Input::Resize(..) => break,
                _ => {}
            }
        }
    }
    Ok(())
}
