//! One turn of batpak's: a seeded run of appends of every sort, and an end that is clean, sudden or neither.
//!
//! What is acknowledged goes to stdout at once, one line each, in the form of `dump`; so does what must not be seen:
//!   {"again":ID}        an idempotency key was repeated and the old receipt came back
//!   {"hidden":HASH}     an event of a cancelled fence: written, and for ever invisible
//!   {"open":HASH}       an event of a fence that was open at the crash: it comes back visible
//!   {"compacted":N}     N sealed segments were merged
//!   {"end":HOW}         the turn came to its end
//!
//! Left alone on purpose, because batpak by itself loses events or refuses the directory after them: batches that
//! fail half-way, twins of one key in a batch, kinds that are reserved, and crashes between two writes of a batch.

use crate::dump::*;
use crate::util::*;
use crate::Args;
use batpak::id::{CausationId, CorrelationId, EntityIdType, EventId, IdempotencyKey};
use batpak::prelude::*;
use batpak::store::{
    AppendPositionHint, BatchAppendItem, CausationRef, CompactionConfig, CompactionStrategy, ExtensionKey,
};
use serde_json::{json, Value};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

const ENTITIES: &[&str] = &[
    "player:alice",
    "player:bob",
    "monster:troll",
    "agent:zoë",
    "two  words",
    "50%",
    ".hidden",
    "-dash",
    "CACHEDIR.TAG",
];
const SCOPES: &[&str] = &["room:dungeon", "room:tavern", "tenant 42"];

#[derive(Clone, Copy, PartialEq)]
enum End {
    Close,
    Drop,
    Crash,
}

pub struct Plan {
    batches: bool,
    ext: bool,
    keys: bool,
    fence: bool,
    clock_jumps: bool,
    compact: bool,
    clock_offset_us: i64,
    index: String,
    segment_max: Option<u64>,
    tag: String,
    end: End,
}

impl Plan {
    pub fn from_args(args: &mut Args) -> Res<Self> {
        let offset = args.value("--clock-offset")?.map_or(Ok(0), |s| s.parse::<i64>())?;
        let segment_max = args.value("--segment-max")?.map(|s| s.parse()).transpose()?;
        let end = match (args.flag("--crash"), args.flag("--drop")) {
            (true, _) => End::Crash,
            (_, true) => End::Drop,
            _ => End::Close,
        };
        Ok(Self {
            batches: args.flag("--batches"),
            ext: args.flag("--ext"),
            keys: args.flag("--keys"),
            fence: args.flag("--fence"),
            clock_jumps: args.flag("--clock-jumps"),
            compact: args.flag("--compact"),
            clock_offset_us: offset * 1_000_000,
            index: args.value("--index")?.unwrap_or_else(|| "fbati".into()),
            segment_max,
            tag: args.value("--tag")?.unwrap_or_else(|| "turn".into()),
            end,
        })
    }

    fn config(&self, dir: &Path, clock: Arc<MovedClock>) -> Res<StoreConfig> {
        let mut config = StoreConfig::new(dir).with_clock(Some(clock));
        match self.index.as_str() {
            "fbati" => {}
            "ckpt" => config = config.with_enable_mmap_index(false),
            "none" => config = config.with_enable_mmap_index(false).with_enable_checkpoint(false),
            other => return Err(format!("--index fbati, ckpt or none, not {other}").into()),
        }
        if let Some(bytes) = self.segment_max {
            config = config.with_segment_max_bytes(bytes);
        }
        Ok(config)
    }
}

/// A payload that is not acknowledged yet, with what will be looked for afterwards.
struct Draft {
    coord: Coordinate,
    kind: EventKind,
    bytes: Vec<u8>,
    /// Absent where only bytes describe the payload.
    value: Option<Value>,
    options: AppendOptions,
}

struct Turn<'a> {
    store: &'a Store<Open>,
    rng: Rng,
    plan: &'a Plan,
    clock: &'a MovedClock,
    /// Visible events that causes and repeated keys can name.
    known: Vec<u128>,
    n: u64,
}

fn say(line: &Value) -> Res<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

impl Turn<'_> {
    fn value(&mut self) -> Value {
        self.n += 1;
        let tag = format!("{}-{}", self.plan.tag, self.n);
        match self.rng.below(6) {
            0 => json!(tag),
            1 => json!({"t": tag, "x": self.rng.below(70_000), "y": -(self.rng.below(70_000) as i64)}),
            2 => {
                json!({"t": tag, "text": "zeile\nzwei \u{1f984} \"quoted\" \u{2028}", "none": null, "ok": true})
            }
            3 => json!([tag, 0.1, -2.5e-7, 1e300, u64::MAX, i64::MIN, [[], {}]]),
            4 => json!({"t": tag, "big": "x".repeat(self.rng.index(3000))}),
            _ => json!({"t": tag, "$bin": "not a tag", "list": (0..self.rng.below(20)).collect::<Vec<_>>()}),
        }
    }

    /// MessagePack that JSON has no spelling for, behind a tag that makes it unlike any other.
    fn odd_bytes(&mut self) -> Vec<u8> {
        self.n += 1;
        let tag = format!("{}-{}", self.plan.tag, self.n);
        let mut bytes = vec![0x92, 0xd9, tag.len() as u8];
        bytes.extend(tag.bytes());
        let odd: &[&[u8]] = &[
            &[0xc4, 3, 0, 0x80, 0xff],
            &[0xd6, 0xff, 0, 0, 0, 1],
            &[0xca, 0x3f, 0x80, 0, 0],
            &[0xcf, 0, 0, 0, 0, 0, 0, 0, 7],
            &[0x81, 1, 2],
            &[0xa2, 0xff, 0xfe],
            &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
            &[0xc1],
            &[],
        ];
        bytes.extend(*self.rng.pick(odd));
        bytes
    }

    fn draft(&mut self, single: bool) -> Res<Draft> {
        let coord = Coordinate::new(*self.rng.pick(ENTITIES), *self.rng.pick(SCOPES))?;
        let category = *self.rng.pick(&[1u8, 3, 0xc, 0xe, 0xf]);
        let kind = EventKind::custom(category, self.rng.below(0x1000) as u16);
        let (bytes, value) = if !single && self.rng.one_in(4) {
            (self.odd_bytes(), None)
        } else {
            let value = self.value();
            (batpak::encoding::to_bytes(&value)?, Some(value))
        };
        let mut options = AppendOptions::new();
        if self.rng.one_in(3) {
            options = options.with_position_hint(AppendPositionHint::new(
                self.rng.below(4) as u32,
                self.rng.below(300) as u32,
            ));
        }
        if self.rng.one_in(4) {
            options = options.with_flags(*self.rng.pick(&[1u8, 2, 8, 0xb]));
        }
        if !self.known.is_empty() && self.rng.one_in(3) {
            options = options.with_causation(CausationId::new(*self.rng.pick(&self.known)));
        }
        if self.rng.one_in(4) {
            let corr = if self.known.is_empty() || self.rng.one_in(2) {
                self.rng.id()
            } else {
                *self.rng.pick(&self.known)
            };
            options = options.with_correlation(CorrelationId::new(corr));
        }
        if self.plan.ext && self.rng.one_in(3) {
            for name in ["app.audit", "x.y", "trace.span_id"].iter().take(1 + self.rng.index(3)) {
                let len = self.rng.index(40);
                options = options.with_extension(ExtensionKey::new(*name)?, self.rng.bytes(len));
            }
        }
        Ok(Draft { coord, kind, bytes, value, options })
    }

    /// Prints what the store says of an event that it has just acknowledged, after holding it against the draft.
    fn acknowledged(&mut self, receipt: &AppendReceipt, draft: &Draft, batch: bool) -> Res<()> {
        let id = receipt.event_id;
        let stored = self.store.read_raw(id)?;
        let flags = if batch { 0 } else { draft.options.flags };
        if stored.event.payload != draft.bytes
            || stored.coordinate != draft.coord
            || stored.event.header.event_kind != draft.kind
            || stored.event.header.flags != flags
        {
            return Err(format!("{:?} is not what was appended", id.as_u128()).into());
        }
        say(&stored_line(&stored, receipt.sequence, &receipt.extensions))?;
        self.known.push(id.as_u128());
        Ok(())
    }

    fn single(&mut self) -> Res<()> {
        let mut draft = self.draft(true)?;
        if self.plan.keys && self.rng.one_in(3) {
            draft.options = draft.options.with_idempotency(IdempotencyKey::new(self.rng.id()));
        }
        let options = draft.options.clone();
        let receipt = self.store.append_with_options(&draft.coord, draft.kind, &draft.value, options)?;
        self.acknowledged(&receipt, &draft, false)
    }

    fn again(&mut self) -> Res<()> {
        if self.known.is_empty() {
            return self.single();
        }
        let key = *self.rng.pick(&self.known);
        let draft = self.draft(true)?;
        let options = AppendOptions::new().with_idempotency(IdempotencyKey::new(key));
        let receipt = self.store.append_with_options(&draft.coord, draft.kind, &draft.value, options)?;
        if receipt.event_id.as_u128() != key {
            return Err("a known key made a new event".into());
        }
        say(&json!({"again": hex_id(key), "seq": receipt.sequence}))
    }

    fn reaction(&mut self) -> Res<()> {
        if self.known.is_empty() {
            return self.single();
        }
        let mut draft = self.draft(true)?;
        draft.options = AppendOptions::new();
        let cause = *self.rng.pick(&self.known);
        let corr = self.store.read_raw(EventId::new(cause))?.event.header.correlation_id;
        let receipt = self.store.append_reaction(
            &draft.coord,
            draft.kind,
            &draft.value,
            CorrelationId::new(corr.as_u128()),
            CausationId::new(cause),
        )?;
        self.acknowledged(&receipt, &draft, false)
    }

    fn items(&mut self, keyed: bool) -> Res<(Vec<BatchAppendItem>, Vec<Draft>)> {
        let (mut items, mut drafts) = (Vec::new(), Vec::new());
        for i in 0..1 + self.rng.index(9) {
            let mut draft = self.draft(false)?;
            if keyed {
                draft.options = draft.options.with_idempotency(IdempotencyKey::new(self.rng.id()));
            }
            let cause = match self.rng.below(3) {
                0 if i > 0 => CausationRef::PriorItem(self.rng.index(i)),
                1 if !self.known.is_empty() => CausationRef::Absolute(*self.rng.pick(&self.known)),
                _ => CausationRef::None,
            };
            items.push(BatchAppendItem::from_msgpack_bytes(
                draft.coord.clone(),
                draft.kind,
                draft.bytes.clone(),
                draft.options.clone(),
                cause,
            ));
            drafts.push(draft);
        }
        Ok((items, drafts))
    }

    fn batch(&mut self) -> Res<()> {
        let keyed = self.plan.keys && self.rng.one_in(2);
        let (items, drafts) = self.items(keyed)?;
        let receipts = if self.known.is_empty() || self.rng.one_in(2) {
            self.store.append_batch(items)?
        } else {
            let cause = *self.rng.pick(&self.known);
            let items = items.into_iter().collect();
            self.store.append_reaction_batch(CorrelationId::new(cause), CausationId::new(cause), items)?
        };
        receipts.iter().zip(&drafts).try_for_each(|(receipt, draft)| self.acknowledged(receipt, draft, true))
    }

    /// A fence with singles and a batch in it, published or taken back. `open` leaves it as it is.
    fn fence(&mut self, open: bool) -> Res<()> {
        let fence = self.store.begin_visibility_fence()?;
        let (mut tickets, mut drafts) = (Vec::new(), Vec::new());
        for _ in 0..1 + self.rng.below(4) {
            let mut draft = self.draft(true)?;
            draft.options = AppendOptions::new();
            tickets.push(fence.submit(&draft.coord, draft.kind, &draft.value)?);
            drafts.push(draft);
        }
        let (items, batch_drafts) = self.items(true)?;
        let batch = fence.submit_batch(items)?;
        let hashes = |drafts: &[Draft]| -> Vec<String> {
            drafts.iter().map(|d| blake3::hash(&d.bytes).to_hex().to_string()).collect()
        };
        if open {
            // the writer answers a sync only after everything that was sent before it
            self.store.sync()?;
            for hash in hashes(&drafts).into_iter().chain(hashes(&batch_drafts)) {
                say(&json!({"open": hash}))?;
            }
            say(&json!({"end": "crash in a fence"}))?;
            std::process::abort();
        }
        if self.rng.one_in(2) {
            fence.cancel()?;
            for hash in hashes(&drafts).into_iter().chain(hashes(&batch_drafts)) {
                say(&json!({"hidden": hash}))?;
            }
            return Ok(());
        }
        fence.commit()?;
        for (ticket, draft) in tickets.into_iter().zip(&drafts) {
            self.acknowledged(&ticket.wait()?, draft, false)?;
        }
        let receipts = batch.wait()?;
        receipts
            .iter()
            .zip(&batch_drafts)
            .try_for_each(|(receipt, draft)| self.acknowledged(receipt, draft, true))
    }

    fn step(&mut self) -> Res<()> {
        if self.plan.clock_jumps && self.rng.one_in(6) {
            self.clock.move_by(self.rng.below(600_000_000) as i64 - 400_000_000);
        }
        match self.rng.below(10) {
            0..=1 if self.plan.batches => self.batch(),
            2 if self.plan.keys => self.again(),
            3 if self.plan.fence => self.fence(false),
            4 => self.reaction(),
            5 => Ok(self.store.sync()?),
            _ => self.single(),
        }
    }
}

pub fn turn(dir: &Path, seed: u64, n: u64, plan: Plan) -> Res<()> {
    let clock = MovedClock::new(plan.clock_offset_us);
    let store = Store::open(plan.config(dir, clock.clone())?)?;
    let known = entries(&store).iter().map(|e| e.event_id()).collect();
    let mut turn = Turn { store: &store, rng: Rng::new(seed), plan: &plan, clock: &clock, known, n: 0 };
    for _ in 0..n {
        turn.step()?;
    }
    if plan.compact {
        let merge = CompactionConfig { strategy: CompactionStrategy::Merge, min_segments: 2 };
        let (result, _) = store.compact(&merge)?;
        say(&json!({"compacted": result.segments_removed}))?;
    }
    match plan.end {
        End::Close => {
            store.close()?;
            say(&json!({"end": "close"}))
        }
        End::Drop => {
            drop(store);
            say(&json!({"end": "drop"}))
        }
        End::Crash => {
            if plan.fence && turn.rng.one_in(2) {
                turn.fence(true)?;
            }
            say(&json!({"end": "crash"}))?;
            std::process::abort()
        }
    }
}
