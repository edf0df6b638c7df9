//! Opens copies of a directory in every way there is and says what does not hold.
//!
//! The bytes are batpak's to judge (its checksums, its decoders); what is added here is what batpak never looks at:
//! hashes against payloads, chains by hash and clock, and that all ways of opening tell the same story.

use crate::dump::*;
use crate::util::*;
use batpak::id::{EntityIdType, EventId};
use batpak::prelude::*;
use serde_json::{json, Value};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

#[derive(Default)]
pub struct Wish {
    pub writable: bool,
    pub strict_ext: bool,
    pub loose_seq: bool,
    pub no_markers: bool,
    pub unreadable: bool,
}

#[derive(Default)]
struct Findings {
    first: Vec<String>,
    n: u64,
}

impl Findings {
    fn add(&mut self, text: String) {
        self.n += 1;
        if self.first.len() < 20 {
            self.first.push(text);
        }
    }
}

struct Seen {
    way: Way,
    lines: Vec<Value>,
    report: Value,
    unreadable: u64,
    restarts: u64,
}

pub fn check(dir: &Path, wish: &Wish) -> Res<bool> {
    let mut bad = Findings::default();
    let worked = if wish.writable { Some(session(dir, &mut bad)?) } else { None };
    let dir = worked.as_ref().map_or(dir, |c| c.path());
    let mut ways = vec![Way::AsIs];
    for (file, way) in [("index.fbati", Way::FbatiOnly), ("index.ckpt", Way::CkptOnly)] {
        if dir.join(file).exists() {
            ways.push(way);
        }
    }
    ways.push(Way::NoIndex);
    let mut all: Vec<Seen> = Vec::new();
    for way in ways {
        match look(dir, way, wish, &mut bad)? {
            Some(seen) => all.push(seen),
            None => continue,
        }
    }
    if let Some((first, others)) = all.split_first() {
        others.iter().for_each(|other| agree(first, other, wish, &mut bad));
    }
    extensions(&all, wish, &mut bad);
    let opened: Vec<Value> = all
        .iter()
        .map(|s| {
            json!({"way": s.way.name(), "report": s.report, "events": s.lines.len(), "unreadable": s.unreadable,
                "chain_restarts": s.restarts})
        })
        .collect();
    println!("{}", json!({"ok": bad.n == 0, "findings": bad.n, "first": bad.first, "opened": opened}));
    Ok(bad.n == 0)
}

/// A session of batpak's own in a copy: open, two appends, close.
fn session(dir: &Path, bad: &mut Findings) -> Res<Copy> {
    let copy = Copy::of(dir)?;
    match Store::open(StoreConfig::new(copy.path())) {
        Ok(store) => {
            let coord = Coordinate::new("interop:check", "interop")?;
            for n in 0..2 {
                if let Err(error) = store.append(&coord, EventKind::DATA, &json!({"n": n})) {
                    bad.add(format!("append: {error}"));
                }
            }
            if let Err(error) = store.close() {
                bad.add(format!("close: {error}"));
            }
        }
        Err(error) => bad.add(format!("writable open: {error}")),
    }
    Ok(copy)
}

fn look(dir: &Path, way: Way, wish: &Wish, bad: &mut Findings) -> Res<Option<Seen>> {
    let copy = way.copy(dir)?;
    let name = way.name();
    let store = match Store::open_read_only(StoreConfig::new(copy.path())) {
        Ok(store) => store,
        Err(error) => {
            bad.add(format!("{name}: open: {error}"));
            return Ok(None);
        }
    };
    let report = report(&store);
    for (file, status) in [("index.fbati", "mmap"), ("index.ckpt", "checkpoint")] {
        if report[format!("{status}_load_status")] == json!("Invalid") {
            bad.add(format!("{name}: {file} was rejected: {}", report[format!("{status}_invalid_reason")]));
        }
    }
    let want = match way {
        Way::FbatiOnly => Some("Mmap"),
        Way::CkptOnly => Some("Checkpoint"),
        _ => None,
    };
    let pending = dir.join("compaction.pending.json").exists();
    if let (Some(want), false) = (want, pending) {
        if report["path"] != json!(want) {
            bad.add(format!("{name}: opened by {}", report["path"]));
        }
    }
    let report_path = report["path"].as_str().unwrap_or("").to_owned();
    let mut seen = Seen { way, lines: Vec::new(), report, unreadable: 0, restarts: 0 };
    let entries = entries(&store);
    let mut newest: HashMap<u128, u64> = HashMap::new();
    for entry in &entries {
        newest.insert(entry.event_id(), entry.global_sequence());
    }
    let mut last = None;
    for entry in &entries {
        let seq = entry.global_sequence();
        let place = (entry.disk_pos().segment_id(), entry.disk_pos().offset());
        if last.is_some_and(|(at, there)| at >= seq && there != place) && !wish.loose_seq {
            bad.add(format!("{name}: seq {seq} comes after {last:?}"));
        }
        last = Some((seq, place));
        let mut line = index_line(entry);
        // of two events with one id only the later can be asked for
        if newest.get(&entry.event_id()) == Some(&seq) {
            match store.read_raw(EventId::new(entry.event_id())) {
                Ok(stored) => {
                    frame_members(&mut line, &stored);
                    frame_agrees(name, &line, &stored, bad);
                    if wish.strict_ext && report_path != "Rebuild" {
                        receipt(name, &store, entry, bad);
                    }
                }
                Err(error) => {
                    seen.unreadable += 1;
                    if !wish.unreadable {
                        bad.add(format!("{name}: seq {seq}: read_raw: {error}"));
                    }
                }
            }
        }
        // batpak answers for both of two events with one id with the later one: once is enough
        if seen.lines.last().is_none_or(|l| l["offset"] != line["offset"] || l["segment"] != line["segment"])
        {
            seen.lines.push(line);
        }
    }
    seen.restarts = chains(name, &seen.lines, wish, bad);
    Ok(Some(seen))
}

fn receipt<S>(name: &str, store: &Store<S>, entry: &batpak::store::index::IndexEntry, bad: &mut Findings) {
    let verdict = store.verify_append_receipt_wire_detailed(
        EventId::new(entry.event_id()),
        entry.global_sequence(),
        entry.hash_chain().event_hash,
        [0; 32],
        None,
        entry.receipt_extensions().clone(),
    );
    if !verdict.is_valid() {
        bad.add(format!("{name}: seq {}: receipt: {verdict:?}", entry.global_sequence()));
    }
}

/// The frame must say what the index said, and its hashes must be those of its payload.
fn frame_agrees(name: &str, line: &Value, stored: &StoredEvent<Vec<u8>>, bad: &mut Findings) {
    let seq = line["seq"].as_u64().unwrap_or(0);
    let frame = stored_line(stored, seq, &Default::default());
    let reserved =
        line["kind"].as_str().is_some_and(|k| k.starts_with("0.") || k.starts_with("d.") || k == "1.000");
    for member in [
        "clock", "entity", "scope", "kind", "id", "corr", "cause", "wall_ms", "lane", "depth", "hash", "prev",
    ] {
        // unknown reserved kinds are mapped when an index or a footer is read
        if frame[member] != line[member] && !(member == "kind" && reserved) {
            bad.add(format!("{name}: seq {seq}: {member}: index {} frame {}", line[member], frame[member]));
        }
    }
    let header = &stored.event.header;
    let hash = blake3::hash(&stored.event.payload);
    if hash.as_bytes() != &header.content_hash || line["hash"] != json!(hash.to_hex().as_str()) {
        bad.add(format!(
            "{name}: seq {seq}: the payload's hash is {}, told was {}",
            hash.to_hex(),
            line["hash"]
        ));
    }
    if header.payload_size as usize != stored.event.payload.len() {
        bad.add(format!("{name}: seq {seq}: payload_size {}", header.payload_size));
    }
}

/// Every event follows an earlier one of its entity by hash, clock and time, or starts a chain anew (hazard H7).
fn chains(name: &str, lines: &[Value], wish: &Wish, bad: &mut Findings) -> u64 {
    type Link<'a> = (&'a str, u64, u64);
    let mut known: HashMap<&str, Vec<Link>> = HashMap::new();
    let mut restarts = 0;
    let zeros = "0".repeat(64);
    for line in lines {
        let text = |member: &str| line[member].as_str().unwrap_or("");
        let (clock, wall) = (line["clock"].as_u64().unwrap_or(0), line["wall_ms"].as_u64().unwrap_or(0));
        let before = known.entry(text("entity")).or_default();
        if text("prev") == zeros {
            restarts += u64::from(!before.is_empty());
            if clock != 0 {
                bad.add(format!("{name}: seq {}: a chain starts with clock {clock}", line["seq"]));
            }
        } else {
            let follows = |l: &&Link| l.0 == text("prev") && l.1 + 1 == clock && l.2 <= wall;
            // compaction by retention takes parents away
            if !before.iter().any(|l| follows(&l)) && !wish.unreadable {
                bad.add(format!("{name}: seq {}: follows no earlier event of its entity", line["seq"]));
            }
        }
        before.push((text("hash"), clock, wall));
    }
    restarts
}

fn agree(one: &Seen, other: &Seen, wish: &Wish, bad: &mut Findings) {
    let marker = |l: &&Value| wish.no_markers && (l["kind"] == json!("0.006") || l["kind"] == json!("0.007"));
    let mut left: Vec<&Value> = one.lines.iter().filter(|l| !marker(l)).collect();
    let mut right: Vec<&Value> = other.lines.iter().filter(|l| !marker(l)).collect();
    if wish.loose_seq {
        left.sort_by_key(|l| place(l));
        right.sort_by_key(|l| place(l));
    }
    let ways = format!("{} and {}", one.way.name(), other.way.name());
    if left.len() != right.len() {
        bad.add(format!("{ways}: {} and {} events", left.len(), right.len()));
    }
    let members = [
        "seq",
        "clock",
        "entity",
        "scope",
        "kind",
        "id",
        "corr",
        "cause",
        "wall_ms",
        "lane",
        "depth",
        "hash",
        "prev",
        "segment",
        "offset",
        "timestamp_us",
        "flags",
        "payload_b64",
    ];
    for (l, r) in left.iter().zip(&right) {
        for member in members.iter().filter(|m| !(wish.loose_seq && **m == "seq")) {
            let both = !l[member].is_null() && !r[member].is_null() || *member == "cause";
            if both && l[member] != r[member] && !(*member == "kind" && mapped(&l[member], &r[member])) {
                bad.add(format!("{ways}: seq {}: {member}: {} and {}", l["seq"], l[member], r[member]));
            }
        }
    }
}

fn place(line: &Value) -> (u64, u64) {
    (line["segment"].as_u64().unwrap_or(0), line["offset"].as_u64().unwrap_or(0))
}

/// An unknown reserved kind, raw on one side and mapped on the other.
fn mapped(a: &Value, b: &Value) -> bool {
    let reserved = |v: &Value| v.as_str().is_some_and(|k| k.starts_with("0.") || k.starts_with("d."));
    let target = |v: &Value| v == &json!("1.000") || v == &json!("d.001");
    (reserved(a) && target(b)) || (reserved(b) && target(a))
}

/// Extensions may be lost where a footer was the source (hazard H5), but never differ.
fn extensions(all: &[Seen], wish: &Wish, bad: &mut Findings) {
    let mut truth: BTreeMap<(u64, u64), &Value> = BTreeMap::new();
    for line in all.iter().flat_map(|s| &s.lines).filter(|l| l["ext"] != json!({})) {
        let known = truth.entry(place(line)).or_insert(&line["ext"]);
        if *known != &line["ext"] {
            bad.add(format!("seq {}: extensions {known} and {}", line["seq"], line["ext"]));
        }
    }
    let by_index = |s: &&Seen| s.report["path"] != json!("Rebuild");
    for seen in all.iter().filter(|s| wish.strict_ext && by_index(s)) {
        for line in seen.lines.iter().filter(|l| l["ext"] == json!({})) {
            if let Some(ext) = truth.get(&place(line)) {
                bad.add(format!("{}: seq {} lost its extensions {ext}", seen.way.name(), line["seq"]));
            }
        }
    }
}
