//! Configurations that are damaged on purpose: an answer, never a panic, and in reasonable time.

use super::*;

/// A small generator of pseudo-random numbers (xorshift), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n.max(1) as u64).unwrap()
    }
}

const PIECES: [&str; 32] = [
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: ",
    "'",
    "\"",
    "|",
    ">",
    "#",
    "\n",
    "\t",
    "  ",
    "${",
    "}",
    "${A:${B}}",
    "!!str ",
    "---\n",
    "...\n",
    "null",
    "-1",
    "99999999999999999999",
    "1e400",
    "\u{feff}",
    "\u{0}",
    "é",
    "packetbeat.protocols.",
];

#[test]
fn damaged_files() {
    let files = [
        "packetbeat-1x.yml",
        "packetbeat-5x.yml",
        "packetbeat-7x.yml",
        "packetbeat-8x.yml",
        "packetbeat-docker.yml",
        "wirebeat.yml",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut outcomes = [0, 0];
    for file in files {
        let text: Vec<char> = std::fs::read_to_string(example(file)).unwrap().chars().collect();
        for _ in 0..200 {
            let mut text = text.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(text.len());
                match random.below(4) {
                    0 => drop(text.drain(at..(at + random.below(20)).min(text.len()))),
                    1 => text.splice(at..at, PIECES[random.below(PIECES.len())].chars()).for_each(drop),
                    2 => text[at] = char::from_u32(u32::try_from(random.below(128)).unwrap()).unwrap(),
                    _ => {
                        let from = random.below(text.len());
                        let piece: Vec<char> = text[from..(from + 40).min(text.len())].to_vec();
                        text.splice(at..at, piece).for_each(drop);
                    }
                }
                if text.is_empty() {
                    text.push('a');
                }
            }
            let text: String = text.into_iter().collect();
            let result = read_in(&text, &[], &[("A", "x,y"), ("B", "${A}")]);
            outcomes[usize::from(result.is_ok())] += 1;
            // What is said fits on lines, and every place is in the file.
            let lines = text.lines().count() + 1;
            let (errors, warnings) = match result {
                Ok(config) => (Vec::new(), config.warnings),
                Err(errors) => (errors.errors, errors.warnings),
            };
            for notice in errors.iter().chain(&warnings) {
                assert!(notice.pos.line as usize <= lines, "{notice}\n{text}");
            }
        }
    }
    assert!(outcomes[0] > 50 && outcomes[1] > 50, "both happen: {outcomes:?}");
}

#[test]
fn pieces_without_sense() {
    let mut random = Random(0xdead_beef_cafe_f00d);
    for _ in 0..1500 {
        let count = 1 + random.below(30);
        let text: String = (0..count).map(|_| PIECES[random.below(PIECES.len())]).collect();
        let _ = read(&text);
        let _ = read_in("", &[&text], &[]);
    }
}

#[test]
fn large_things_take_no_longer_than_they_must() {
    let began = std::time::Instant::now();
    for text in [
        "a: b\n".repeat(100_000),
        (0..100_000).map(|i| format!("k{i}: 1\n")).collect(),
        format!("packetbeat.protocols:\n{}", "- type: dns\n".repeat(50_000)),
        format!("packetbeat.interfaces:\n{}", "- device: eth0\n".repeat(3_000)),
        format!("tags: [{}]\n", "x,".repeat(100_000)),
        format!("tags: \"{}\"\n", "${".repeat(100_000)),
        format!("{}\n", "x".repeat(1_000_000)),
        format!("output.{}: 1\n", "y".repeat(900)),
        format!("packetbeat.flows.{}: 1\n", "z".repeat(900)),
    ] {
        let _ = read(&text);
    }
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}
