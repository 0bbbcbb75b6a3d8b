//! The program: what was asked for, done, and an exit code.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use wirebeat::cli::{Action, CheckArgs, Cli, DevicesArgs, OutputArgs, ReadArgs, RunArgs, TopArgs};
use wirebeat::config::{self, Config};
use wirebeat::destination::Destination;
use wirebeat::keep::{Keeper, Purpose};
use wirebeat::lines::Lines;
use wirebeat::measure::Until;
use wirebeat::output::{Output, Rotation};
use wirebeat::read::{self, ReadError};
use wirebeat::run::{self, RunError};
use wirebeat::serving::{self, Serving, Wish};
use wirebeat::summary::{Measured, Summary};
use wirebeat::{check, devices_cmd, engine, fields_cmd, measure, read_ui, store_cmd, top};
use wirebeat_capture::live::LiveError;
use wirebeat_model::Time;

/// Something failed.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    engine::schema();
    let code = match Cli::parse().action() {
        Action::Run(args) => run(&args),
        Action::Read(args) => read(&args),
        Action::Devices(args) => devices(&args),
        Action::Top(args) => top(&args),
        Action::Fields(args) => print(&fields_cmd::render(engine::schema(), args.format)),
        Action::Store(args) => report(store_cmd::list(&args)),
        Action::Seal(args) => report(store_cmd::seal(&args)),
        Action::Check(args) => check(&args),
        Action::Version => print(concat!("wirebeat ", env!("CARGO_PKG_VERSION"), "\n")),
        Action::Hint(text) => {
            eprintln!("wirebeat: {text}");
            USAGE
        }
    };
    ExitCode::from(code)
}

/// Prints to standard output; a reader that has enough is no failure.
fn print(text: &str) -> u8 {
    match io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("wirebeat: standard output: {e}");
            FAILED
        }
        _ => 0,
    }
}

/// The configuration, or its errors told.
fn load(path: Option<&std::path::Path>, set: &[String], redact: Option<bool>) -> Result<Config, u8> {
    match config::load(path, set, redact) {
        Ok(config) => {
            config.warnings.iter().for_each(|w| eprintln!("warning: {w}"));
            Ok(config)
        }
        Err(errors) => {
            errors.warnings.iter().for_each(|w| eprintln!("warning: {w}"));
            errors.errors.iter().for_each(|e| eprintln!("error: {e}"));
            Err(USAGE)
        }
    }
}

/// Prints what was found, or why not.
fn report(result: anyhow::Result<String>) -> u8 {
    match result {
        Ok(text) => print(&text),
        Err(e) => {
            eprintln!("error: {e:#}");
            FAILED
        }
    }
}

/// Opens where lines go; `None` when nobody asked for lines.
fn output(args: &OutputArgs, config: &Config) -> Result<Option<Output>, u8> {
    let (path, rotation) = match (&args.output, &config.output_file) {
        (Some(path), _) if path.as_os_str() == "-" => return Ok(Some(Output::stdout())),
        (Some(path), _) => {
            let keep = args.rotate_count.unwrap_or(Rotation::default().keep);
            (path.clone(), Rotation { size: args.rotate_size.unwrap_or(0), keep, ..Rotation::default() })
        }
        (None, Some(file)) => {
            let rotation =
                Rotation { size: file.rotate_every, keep: file.number_of_files, mode: file.permissions };
            (file.path.join(&file.filename), rotation)
        }
        (None, None) => return Ok(config.output_console.map(|_| Output::stdout())),
    };
    Output::file(&path, rotation).map(Some).map_err(|e| {
        eprintln!("error: {}: {e}", path.display());
        FAILED
    })
}

/// Opens where events of captures go: lines, unless they are only to be kept.
fn destination_of_import(args: &ReadArgs, config: &Config) -> Result<Destination, u8> {
    let mut output = output(&args.output, config)?;
    if output.is_none() && args.data.is_none() {
        output = Some(Output::stdout());
    }
    let lines = output.map(|output| Lines::new(output, config.precision));
    match &args.data {
        Some(dir) => Ok(Destination::kept(lines, keeper(dir, config, Purpose::Import)?, None)),
        None => Ok(Destination { lines, ..Destination::default() }),
    }
}

/// Opens where live events go: lines where they are asked for; they are kept where that is asked for, or nothing else is.
fn destination(args: &RunArgs, config: &Config) -> Result<Destination, u8> {
    let mut output = output(&args.output, config)?;
    let keep = args.keep.data.is_some() || config.keeping.enabled.unwrap_or(output.is_none());
    let lines = |output: Option<Output>| output.map(|output| Lines::new(output, config.precision));
    if keep {
        let dir = store_cmd::directory(args.keep.data.as_ref(), &config.keeping).map_err(|e| {
            eprintln!("error: {e}");
            FAILED
        })?;
        let keeper = keeper(&dir, config, Purpose::Live)?;
        eprintln!("keeping events in {}", dir.display());
        let api = Wish::new(args.keep.api, config.keeping.api);
        let ui = Wish::new(args.keep.ui, config.keeping.ui);
        let serving = serve(&keeper, config, api, ui)?;
        return Ok(Destination::kept(lines(output), keeper, Some(serving)));
    }
    output = output.or_else(|| Some(Output::stdout()));
    Ok(Destination { lines: lines(output), ..Destination::default() })
}

/// Answers searches and shows pages where that is wished for.
fn serve(keeper: &Keeper, config: &Config, api: Option<Wish>, ui: Option<Wish>) -> Result<Serving, u8> {
    serving::serve(keeper, &config.keeping, api, ui, Vec::new(), Arc::default()).map_err(|e| {
        eprintln!("error: {e}");
        FAILED
    })
}

fn keeper(dir: &Path, config: &Config, purpose: Purpose) -> Result<Keeper, u8> {
    Keeper::open(dir, &config.keeping, purpose, engine::schema()).map_err(|e| {
        eprintln!("error: {e}");
        FAILED
    })
}

fn read(args: &ReadArgs) -> u8 {
    let config = match load(args.config.as_deref(), &args.set, args.redact.map(bool::from)) {
        Ok(config) => config,
        Err(code) => return code,
    };
    read_with(args, &config)
}

fn read_with(args: &ReadArgs, config: &Config) -> u8 {
    let shards = args.shards.map_or(config.shards.unwrap_or(1), usize::from);
    if let Some(address) = args.ui {
        let output = match output(&args.output, config) {
            Ok(output) => output,
            Err(code) => return code,
        };
        let lines = output.map(|output| Lines::new(output, config.precision));
        let show = read_ui::Show { keep: args.keep.as_deref(), address, shards };
        return ended_reading(read_ui::show(config, &args.files, &show, lines));
    }
    let destination = match destination_of_import(args, config) {
        Ok(destination) => destination,
        Err(code) => return code,
    };
    let mut summary = Summary::default();
    let result = read::read(config, &args.files, shards, destination, &mut summary);
    eprint!("{summary}");
    ended_reading(result)
}

/// The exit code; a reader that has enough is no failure.
fn ended_reading(result: Result<(), ReadError>) -> u8 {
    match result {
        Ok(()) => 0,
        Err(ReadError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(e @ ReadError::Filter(_)) => {
            eprintln!("error: {e}");
            USAGE
        }
        Err(e) => {
            eprintln!("error: {e}");
            FAILED
        }
    }
}

fn run(args: &RunArgs) -> u8 {
    let mut config = match load(args.config.as_deref(), &args.set, args.redact.map(bool::from)) {
        Ok(config) => config,
        Err(code) => return code,
    };
    if !args.interface.is_empty() {
        config.interfaces.iter_mut().for_each(|i| i.devices.clear());
        if let Some(first) = config.interfaces.first_mut() {
            first.devices.clone_from(&args.interface);
        }
    }
    let files = config.files();
    if !files.is_empty() && args.interface.is_empty() {
        eprintln!("reading {} instead of a device, as the configuration says", files[0].display());
        let read_args =
            ReadArgs { files, output: args.output.clone(), shards: args.shards, ..ReadArgs::default() };
        return read_with(&read_args, &config);
    }
    if !config.captures() {
        return measure_alone(args, &config);
    }
    let shards = args.shards.map(usize::from).or(config.shards);
    let mut summary = Summary::default();
    let result = run::run(&config, shards, args.duration, || destination(args, &config), &mut summary);
    match result {
        Ok(()) => {
            eprint!("{summary}");
            0
        }
        Err(RunError::Reported(code)) => code,
        Err(RunError::Live(e @ LiveError::Rights { .. })) if only_looks(args, &config) => {
            without_capture(args, &config, &e.to_string())
        }
        Err(RunError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => {
            eprint!("{summary}");
            0
        }
        Err(e) => {
            eprint!("{summary}");
            eprintln!("error: {e}");
            if matches!(e, RunError::Filter(_) | RunError::Selection(_)) { USAGE } else { FAILED }
        }
    }
}

/// Whether somebody who just wants to see what there is has asked for pages, and for no device and no lines: pages that
/// say what is missing serve them better than an exit code. Whoever named a device or an output has something that
/// waits for it, and is told by the exit code.
fn only_looks(args: &RunArgs, config: &Config) -> bool {
    let named = !args.interface.is_empty() || !config.devices().is_empty();
    let lines =
        args.output.output.is_some() || config.output_file.is_some() || config.output_console.is_some();
    let pages = args.keep.ui.or(config.keeping.ui).is_some();
    !named && !lines && pages && config.keeping.enabled != Some(false)
}

/// Pages and measurements without a capture, which `why` is not there.
fn without_capture(args: &RunArgs, config: &Config, why: &str) -> u8 {
    let destination = match destination(args, config) {
        Ok(destination) => destination,
        Err(code) => return code,
    };
    eprintln!("warning: nothing is captured: {why}");
    if let Some(serving) = &destination.serving {
        serving.health.set_refused(why.to_owned());
    }
    let until = Until { count: None, duration: args.duration };
    match &config.system {
        Some(options) => measured(options, until, destination),
        None => ended(measure::wait(until, destination)),
    }
}

/// Measures for as long, and tells what could not be.
fn measured(options: &wirebeat_system::Options, until: Until, destination: Destination) -> u8 {
    let source = destination.source().unwrap_or(Time::now().0 as u64);
    let options = wirebeat_system::Options { source, ..options.clone() };
    ended(measure::alone(&options, until, destination).map(|losses| eprint!("{}", Measured(&losses))))
}

/// What a Topbeat's configuration asks for.
fn measure_alone(args: &RunArgs, config: &Config) -> u8 {
    let Some(options) = &config.system else {
        eprintln!(
            "error: a Topbeat's configuration captures nothing, and wirebeat.system.enabled is false: nothing to do"
        );
        return USAGE;
    };
    if !args.interface.is_empty() {
        eprintln!("warning: -i: a Topbeat's configuration captures nothing");
    }
    let destination = match destination(args, config) {
        Ok(destination) => destination,
        Err(code) => return code,
    };
    eprintln!("measuring the host every {:?}", options.period);
    measured(options, Until { count: None, duration: args.duration }, destination)
}

/// The exit code; a reader that has enough is no failure.
fn ended(result: io::Result<()>) -> u8 {
    match result {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("error: {e}");
            FAILED
        }
        _ => 0,
    }
}

fn top(args: &TopArgs) -> u8 {
    let mut config = match load(args.config.as_deref(), &args.set, None) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let configured = config.system_asked;
    let mut options = config.system.take().unwrap_or_default();
    let usual = Duration::from_secs(if args.json { 10 } else { 2 });
    options.period = args.period.unwrap_or(if configured { options.period } else { usual });
    options.sets.core |= args.per_core;
    options.source = Time::now().0 as u64;
    if let Some(hostfs) = &args.hostfs {
        options.hostfs.clone_from(hostfs);
    }
    if args.all {
        options.top = None;
    }
    let result = if args.json {
        match output(&args.output, &config) {
            Ok(output) => {
                let until = Until { count: args.count, duration: None };
                let output = output.unwrap_or_else(Output::stdout);
                let destination = Destination::lines(Lines::new(output, config.precision));
                measure::alone(&options, until, destination).map(|losses| eprint!("{}", Measured(&losses)))
            }
            Err(code) => return code,
        }
    } else {
        top::show(&options, args.count)
    };
    ended(result)
}

fn devices(args: &DevicesArgs) -> u8 {
    match devices_cmd::render(args.format) {
        Ok(text) => print(&text),
        Err(e) => {
            eprintln!("error: listing devices: {e}");
            FAILED
        }
    }
}

fn check(args: &CheckArgs) -> u8 {
    let (text, usable) = check::report(args);
    let code = print(&text);
    if usable { code } else { USAGE }
}
