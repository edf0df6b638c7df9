//! peer: batpak 0.8.2 at the same work as batfs. One thing once, and one line of JSON with what it took; scripts/bench
//! repeats it beside ours.

use batpak::id::{EntityIdType, EventId};
use batpak::prelude::*;
use batpak::store::{
    AppendOptions, BatchAppendItem, CausationRef, ChainWalkRequest, ChainWalkStartRef, DurabilityGate,
    SyncMode, WatermarkKind,
};
use serde_json::{json, Value};
use std::process::ExitCode;
use std::time::{Duration, Instant};

type Res<T> = Result<T, Box<dyn std::error::Error>>;

const WARM_UP: u64 = 50;
const USAGE: &str = "usage:
  peer open DIR                               read-only
  peer append DIR WRITERS BATCH ROUNDS [drain]   each waits until its batch is on disk
  peer close DIR APPENDS                      how long the end takes after so many
  peer read DIR COUNT ENTITIES LINES SEQ...   events a second: so many by id at random, all in order, along the
                                              chains of so many entities; pages of so many rows";

/// This process's own memory, without what the page cache has anyway.
fn anonymous() -> Res<u64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup.lines().find(|l| l.starts_with("Anonymous:")).ok_or("no Anonymous line")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kilobytes * 1024)
}

fn say(start: Instant, events: u64) {
    println!("{}", json!({"ns": start.elapsed().as_nanos() as u64, "events": events}));
}

/// About 100 bytes of MessagePack, as event_maker.c makes them.
fn payload() -> Value {
    json!({"n": 123_456, "who": "player:00000011", "ok": true,
        "text": "the quick brown fox jumps over the lazy dog and then looks ba"})
}

fn open(dir: &str) -> Res<()> {
    let before = anonymous()?;
    let start = Instant::now();
    let store = Store::open_read_only(StoreConfig::new(dir))?;
    let events = store.stats().event_count as u64;
    let ns = start.elapsed().as_nanos() as u64;
    println!("{}", json!({"ns": ns, "events": events, "anonymous": anonymous()? - before}));
    Ok(())
}

fn append_round(store: &Store<Open>, coord: &Coordinate, batch: u64) -> Res<()> {
    let gate = DurabilityGate { kind: WatermarkKind::Durable, timeout: Duration::from_secs(60) };
    let options = AppendOptions::new().with_gate(gate);
    if batch == 1 {
        store.append_with_options(coord, EventKind::DATA, &payload(), options)?;
        return Ok(());
    }
    let items: Result<Vec<_>, _> = (0..batch)
        .map(|_| {
            BatchAppendItem::new(
                coord.clone(),
                EventKind::DATA,
                &payload(),
                AppendOptions::new(),
                CausationRef::None,
            )
        })
        .collect();
    store.append_batch_with_options(items?, options)?;
    Ok(())
}

/// The fastest of batpak's own ways to know that an event is on disk: a sync after each, and the gate.
fn append(dir: &str, writers: u64, batch: u64, rounds: u64, drain: bool) -> Res<()> {
    let mut config = StoreConfig::new(dir)
        .with_sync_every_n_events(1)
        .with_sync_mode(SyncMode::SyncData)
        .with_batch_max_size(4096);
    if drain {
        config = config.with_group_commit_max_batch(0);
    }
    let store = Store::open(config)?;
    let coords: Result<Vec<_>, _> =
        (0..writers).map(|w| Coordinate::new(format!("bench:{w}"), "room:0")).collect();
    let coords = coords?;
    for _ in 0..WARM_UP {
        append_round(&store, &coords[0], batch)?;
    }
    let start = Instant::now();
    std::thread::scope(|scope| {
        for coord in &coords {
            scope.spawn(|| {
                for _ in 0..rounds {
                    append_round(&store, coord, batch).expect("append");
                }
            });
        }
    });
    say(start, writers * batch * rounds);
    store.close()?;
    Ok(())
}

fn close(dir: &str, appends: u64) -> Res<()> {
    let store = Store::open(StoreConfig::new(dir))?;
    let coord = Coordinate::new("bench:0", "room:0")?;
    for _ in 0..appends {
        store.append(&coord, EventKind::DATA, &payload())?;
    }
    store.sync()?;
    let start = Instant::now();
    store.close()?;
    say(start, appends);
    Ok(())
}

/// Events a second: some by id, all in order.
fn read_events(store: &Store<ReadOnly>, ids: &[u128], count: u64) -> Res<(f64, f64)> {
    let mut state = 1u64;
    let chosen: Vec<u128> = (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ids[(state >> 33) as usize % ids.len()]
        })
        .collect();
    let rate = |order: &[u128]| -> Res<f64> {
        let start = Instant::now();
        for id in order {
            std::hint::black_box(store.read_raw(EventId::new(*id))?);
        }
        Ok(order.len() as f64 / start.elapsed().as_secs_f64())
    };
    Ok((rate(&chosen)?, rate(ids)?))
}

/// Nanoseconds for so many rows from each sequence on, without their payloads.
fn read_pages(store: &Store<ReadOnly>, lines: usize, from: &[u64]) -> Res<Vec<u64>> {
    let mut took = Vec::new();
    for seq in from {
        let start = Instant::now();
        let rows = store.query_entries_after(&Region::all(), seq.checked_sub(1), lines);
        took.push(start.elapsed().as_nanos() as u64);
        if rows.len() != lines {
            return Err(format!("{} rows from {seq} on, not {lines}", rows.len()).into());
        }
    }
    Ok(took)
}

/// Events a second, along the whole chain of so many entities.
fn walk_chains(store: &Store<ReadOnly>, entities: usize) -> Res<f64> {
    let mut newest = std::collections::BTreeMap::new();
    for entry in store.query_entries_after(&Region::all(), None, usize::MAX) {
        newest.insert(entry.coord().entity().to_owned(), entry.event_id());
    }
    let start = Instant::now();
    let mut checked = 0;
    for id in newest.values().take(entities) {
        let from = ChainWalkStartRef::EventId(*id);
        let report = store.chain_walk_evidence(&ChainWalkRequest::linear(from, usize::MAX));
        checked += report.map_err(|error| error.to_string())?.body.checked_count;
    }
    Ok(checked as f64 / start.elapsed().as_secs_f64())
}

/// Opening takes so long that all ways of reading share it.
fn read(dir: &str, count: u64, entities: usize, lines: usize, from: &[u64]) -> Res<()> {
    let store = Store::open_read_only(StoreConfig::new(dir))?;
    let all = store.query_entries_after(&Region::all(), None, usize::MAX);
    let ids: Vec<u128> = all.iter().map(|entry| entry.event_id()).collect();
    drop(all);
    let pages = read_pages(&store, lines, from)?;
    let (get, scan) = read_events(&store, &ids, count)?;
    let chains = walk_chains(&store, entities)?;
    println!("{}", json!({"get": get, "scan": scan, "chains": chains, "pages_ns": pages}));
    Ok(())
}

fn run() -> Res<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["open", dir] => open(dir),
        ["append", dir, writers, batch, rounds] => {
            append(dir, writers.parse()?, batch.parse()?, rounds.parse()?, false)
        }
        ["append", dir, writers, batch, rounds, "drain"] => {
            append(dir, writers.parse()?, batch.parse()?, rounds.parse()?, true)
        }
        ["close", dir, appends] => close(dir, appends.parse()?),
        ["read", dir, count, entities, lines, ref from @ ..] => {
            let from: Result<Vec<u64>, _> = from.iter().map(|word| word.parse()).collect();
            read(dir, count.parse()?, entities.parse()?, lines.parse()?, &from?)
        }
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer: {error}");
            ExitCode::from(2)
        }
    }
}
