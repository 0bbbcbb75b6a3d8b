//! `system`, and Topbeat's `input` or `topbeat`: what is measured of the host.

use std::path::PathBuf;
use std::time::Duration;

use wirebeat_model::config::{Item, Node, Pos, Problem, Report, Section};
use wirebeat_system::{Options, Sets};

use super::tree;

/// Topbeat's section, under the name of 1.x or that of 5.0.
const TOPBEAT: [&str; 2] = ["topbeat", "input"];

/// Whether there is a section of Topbeat.
pub(super) fn is_topbeat(root: &Item) -> bool {
    TOPBEAT.iter().any(|key| tree::get(Some(root), key).is_some())
}

/// What `wirebeat` says of it.
pub(super) struct Said {
    /// `wirebeat.system.enabled`.
    pub(super) enabled: Option<bool>,
    /// `wirebeat.fields_1x`.
    pub(super) fields_1x: Option<bool>,
}

/// What is measured; `None`: nothing. And whether a section asks for it. With the defaults of a Packetbeat (`packetbeat`)
/// nothing is measured that no section asks for, with our own the host is.
pub(super) fn read(
    root: &Item,
    said: &Said,
    packetbeat: bool,
    tags: &[String],
    report: &mut Report,
) -> (Option<Options>, bool) {
    let mut options = Options { tags: tags.to_vec(), ..Options::default() };
    let found: Vec<_> =
        TOPBEAT.iter().filter_map(|key| Some((*key, tree::get(Some(root), key)?.1))).collect();
    if let [_, (key, item)] = found.as_slice() {
        let text = "topbeat and input are two names of one section: leave one of them away";
        report.errors.push(Problem { pos: item.pos, key: (*key).into(), text: text.into() });
    }
    if let Some((key, item)) = found.first() {
        let mut section = Section::new(key, Some(item), report);
        topbeat_keys(&mut section, &mut options);
        section.finish();
    }
    let own = tree::get(Some(root), "system").map(|(_, item)| item);
    let asked = own.is_some() || !found.is_empty();
    let mut on = asked || !packetbeat;
    if own.is_some() {
        let mut section = Section::new("system", own, report);
        on &= keys(&mut section, &mut options);
        section.finish();
    }
    // The dashboards of a Topbeat of old ask for what it wrote.
    options.fields_1x = said.fields_1x.unwrap_or(!found.is_empty());
    (said.enabled.unwrap_or(on).then_some(options), asked)
}

/// The keys of Topbeat; what is read here is also the reference.
pub(super) fn topbeat_keys(section: &mut Section<'_>, options: &mut Options) {
    // What Topbeat measured, and every process that matches.
    options.sets =
        Sets { cpu: true, load: true, memory: true, process: true, filesystem: true, ..Sets::NONE };
    options.top = None;
    period(section, options);
    let doc = "Patterns (regular expressions) of which the name of a process must match one.";
    patterns(section, "procs", options, doc);
    let item = section.raw("stats", "a map", "", "What is measured: see below.");
    let mut stats = section.sub("stats", item);
    stats_keys(&mut stats, options);
    stats.finish();
}

/// The keys of Topbeat's `stats`.
pub(super) fn stats_keys(section: &mut Section<'_>, options: &mut Options) {
    let sets = &mut options.sets;
    let system = section.bool("system", true, "Load, CPU and memory of the host.");
    (sets.cpu, sets.load, sets.memory) = (system, system, system);
    let doc = "Processes. Topbeat's sample file says `proc`, its code read `process`: both work.";
    let (old, new) = (section.pos("proc"), section.pos("process"));
    let process = section.bool("process", true, doc);
    let proc = section.bool("proc", true, "The same.");
    if let (Some(pos), Some(_), true) = (old, new, process != proc) {
        section.warn(pos, "proc", "process says otherwise, and counts");
    }
    sets.process = if new.is_some() { process } else { proc };
    sets.filesystem = section.bool("filesystem", true, "Filesystems.");
    sets.core = section.bool("cpu_per_core", false, "CPU of each core.");
    for name in ["cpu_ticks", "cpu_ticks_per_proc"] {
        section.bool(name, true, "Always true here: counters are told beside shares.");
    }
    if !(system || sets.process || sets.filesystem) {
        let pos = section.pos("system").unwrap_or_default();
        section.error(pos, "system", "all statistics are off; expected one of system, process, filesystem");
    }
}

/// The keys of `system`; what is read here is also the reference. Answers whether anything is measured.
pub(super) fn keys(section: &mut Section<'_>, options: &mut Options) -> bool {
    let doc = "Whether the host is measured. Without a configuration it is; in a packetbeat.yml the section, or one of Topbeat, \
               turns it on.";
    let on = section.bool("enabled", true, doc);
    let given = section.pos("period").is_some();
    let before = options.period;
    period(section, options);
    if !given {
        options.period = before;
    }
    metricsets(section, options);
    let doc = "Patterns (regular expressions) of which the name of a process must match one.";
    patterns(section, "processes", options, doc);
    let doc = "Where the host's root directory is, when it is not ours: in a container with `-v /:/hostfs:ro --pid=host`, /hostfs.";
    let pos = section.pos("hostfs");
    options.hostfs = PathBuf::from(section.string("hostfs", "/", doc));
    if let (Some(pos), false) = (pos, options.hostfs.is_absolute()) {
        section.error(pos, "hostfs", "expected an absolute path such as /hostfs");
    }
    let item = section.raw("process", "a map", "", "`include_top_n`: see below.");
    let mut process = section.sub("process", item);
    let item = process.raw("include_top_n", "a map", "", "");
    let mut top = process.sub("include_top_n", item);
    if item.is_some() {
        options.top = top_keys(&mut top);
    }
    top.finish();
    process.finish();
    let item = section.raw(
        "filesystem",
        "a map",
        "",
        "`ignore_types`: types of filesystems that are left out; without it those that need no device.",
    );
    let mut filesystem = section.sub("filesystem", item);
    if filesystem.pos("ignore_types").is_some() {
        options.ignore_types = Some(filesystem.strings("ignore_types", &[], ""));
    }
    filesystem.finish();
    on
}

/// The keys of `system.process.include_top_n`.
pub(super) fn top_keys(section: &mut Section<'_>) -> Option<(usize, usize)> {
    let enabled = section.bool("enabled", true, "Whether only the busiest processes are told; else all.");
    let mut count = |name, doc| usize::try_from(section.int(name, 10, 0..=100_000, doc)).unwrap_or(10);
    let by_cpu = count("by_cpu", "How many of those that use most CPU.");
    let by_memory = count("by_memory", "How many of those that use most memory.");
    enabled.then_some((by_cpu, by_memory))
}

fn period(section: &mut Section<'_>, options: &mut Options) {
    let doc = "How often, in seconds or as a duration such as 500ms.";
    let period = section.duration("period", Duration::from_secs(10), doc);
    if !(Duration::from_millis(100)..=Duration::from_secs(86_400)).contains(&period) {
        let pos = section.pos("period").unwrap_or_default();
        return section.error(pos, "period", "expected a period from 100ms to one day");
    }
    options.period = period;
}

fn patterns(section: &mut Section<'_>, name: &'static str, options: &mut Options, doc: &'static str) {
    let pos = section.pos(name);
    let patterns = section.strings(name, &[".*"], doc);
    if pos.is_none() && options.names.is_some() {
        return;
    }
    match wirebeat_system::patterns(&patterns) {
        Ok(names) => options.names = names,
        Err(e) => {
            // The library's message draws the place over several lines.
            let text = e.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            section.error(pos.unwrap_or_default(), name, format!("not a regular expression: {last}"));
        }
    }
}

fn metricsets(section: &mut Section<'_>, options: &mut Options) {
    let names = Sets::NAMES.join(", ");
    let default = names.replace("core, ", "");
    let doc =
        "What is measured: the names of Metricbeat's metricsets, and container. All but core without it.";
    let Some(item) = section.raw("metricsets", "a list of names", default, doc) else { return };
    let Node::List(items) = &item.node else {
        section.error(item.pos, "metricsets", format!("expected a list of {names}"));
        return;
    };
    options.sets = Sets::NONE;
    for item in items {
        let name = tree::text(&item.node).unwrap_or_default();
        match options.sets.by_name(&name) {
            Some(set) => *set = true,
            None => unknown(section, item.pos, &name),
        }
    }
}

fn unknown(section: &mut Section<'_>, pos: Pos, name: &str) {
    let near = wirebeat_model::config::suggest(name, Sets::NAMES.iter().copied());
    let hint = near.map_or(String::new(), |n| format!("; did you mean {n}?"));
    let name: String = name.chars().take(40).collect();
    section.warn(pos, "metricsets", format!("nothing of the name {name:?} is measured here{hint}"));
}
