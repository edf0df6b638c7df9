//! Every visible event as one line of JSON, from the index and from the frame.

use crate::util::*;
use crate::Args;
use batpak::coordinate::Region;
use batpak::id::{EntityIdType, EventId};
use batpak::prelude::*;
use batpak::store::index::IndexEntry;
use batpak::store::ExtensionKey;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Which index files batpak may find.
#[derive(Clone, Copy, PartialEq)]
pub enum Way {
    AsIs,
    FbatiOnly,
    CkptOnly,
    NoIndex,
}

impl Way {
    pub fn from_args(args: &mut Args) -> Self {
        match (args.flag("--no-index"), args.flag("--ckpt-only"), args.flag("--fbati-only")) {
            (true, _, _) => Self::NoIndex,
            (_, true, _) => Self::CkptOnly,
            (_, _, true) => Self::FbatiOnly,
            _ => Self::AsIs,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::AsIs => "as it is",
            Self::FbatiOnly => "index.fbati alone",
            Self::CkptOnly => "index.ckpt alone",
            Self::NoIndex => "no index",
        }
    }

    /// A copy of the directory that can only be opened this way.
    pub fn copy(self, dir: &Path) -> Res<Copy> {
        let copy = Copy::of(dir)?;
        if matches!(self, Self::NoIndex | Self::CkptOnly) {
            copy.without("index.fbati")?;
        }
        if matches!(self, Self::NoIndex | Self::FbatiOnly) {
            copy.without("index.ckpt")?;
        }
        Ok(copy)
    }
}

pub fn kind_text(kind: EventKind) -> String {
    format!("{:x}.{:03x}", kind.category(), kind.type_id())
}

pub fn entries<S>(store: &Store<S>) -> Vec<IndexEntry> {
    store.query_entries_after(&Region::all(), None, usize::MAX)
}

pub fn ext_json(ext: &BTreeMap<ExtensionKey, Vec<u8>>) -> Value {
    ext.iter().map(|(k, v)| (k.as_str().to_owned(), json!(base64(v)))).collect::<Map<_, _>>().into()
}

/// What only the frame knows of an event.
pub fn frame_members(line: &mut Value, stored: &StoredEvent<Vec<u8>>) {
    let header = &stored.event.header;
    line["timestamp_us"] = json!(header.timestamp_us);
    line["flags"] = json!(header.flags);
    line["payload_size"] = json!(header.payload_size);
    line["payload_b64"] = json!(base64(&stored.event.payload));
}

/// What the index knows of an event.
pub fn index_line(entry: &IndexEntry) -> Value {
    let chain = entry.hash_chain();
    json!({
        "seq": entry.global_sequence(),
        "clock": entry.clock(),
        "entity": entry.coord().entity(),
        "scope": entry.coord().scope(),
        "kind": kind_text(entry.event_kind()),
        "id": hex_id(entry.event_id()),
        "corr": hex_id(entry.correlation_id()),
        "cause": entry.causation_id().map(hex_id),
        "wall_ms": entry.wall_ms(),
        "lane": entry.dag_lane(),
        "depth": entry.dag_depth(),
        "hash": hex(&chain.event_hash),
        "prev": hex(&chain.prev_hash),
        "segment": entry.disk_pos().segment_id(),
        "offset": entry.disk_pos().offset(),
        "ext": ext_json(entry.receipt_extensions()),
    })
}

/// The line of an event that the store has just acknowledged, as the store itself reads it back.
pub fn stored_line(stored: &StoredEvent<Vec<u8>>, seq: u64, ext: &BTreeMap<ExtensionKey, Vec<u8>>) -> Value {
    let header = &stored.event.header;
    let chain = stored.event.hash_chain.clone().unwrap_or_default();
    let mut line = json!({
        "seq": seq,
        "clock": header.position.sequence(),
        "entity": stored.coordinate.entity(),
        "scope": stored.coordinate.scope(),
        "kind": kind_text(header.event_kind),
        "id": hex_id(header.event_id.as_u128()),
        "corr": hex_id(header.correlation_id.as_u128()),
        "cause": header.causation_id.map(|c| hex_id(c.as_u128())),
        "wall_ms": header.position.wall_ms(),
        "lane": header.position.lane(),
        "depth": header.position.depth(),
        "hash": hex(&chain.event_hash),
        "prev": hex(&chain.prev_hash),
        "ext": ext_json(ext),
    });
    frame_members(&mut line, stored);
    line
}

/// How a store came up: path, load statuses and counts, without the timings.
pub fn report<S>(store: &Store<S>) -> Value {
    let report = store.diagnostics().open_report;
    let mut report = report.and_then(|r| serde_json::to_value(r).ok()).unwrap_or(Value::Null);
    if let Some(members) = report.as_object_mut() {
        members.retain(|name, _| !name.ends_with("_us") && !name.contains("unknown_reserved"));
    }
    report
}

pub fn dump(dir: &Path, way: Way, in_place: bool, only_count: bool) -> Res<bool> {
    let copy = if in_place { None } else { Some(way.copy(dir)?) };
    let dir = copy.as_ref().map_or(dir, |c| c.path());
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let store = match Store::open_read_only(StoreConfig::new(dir)) {
        Ok(store) => store,
        Err(error) => {
            writeln!(out, "{}", json!({"ok": false, "way": way.name(), "error": error.to_string()}))?;
            return Ok(false);
        }
    };
    let all = entries(&store);
    for entry in all.iter().filter(|_| !only_count) {
        let mut line = index_line(entry);
        match store.read_raw(EventId::new(entry.event_id())) {
            Ok(stored) => frame_members(&mut line, &stored),
            Err(error) => line["raw_error"] = json!(error.to_string()),
        }
        writeln!(out, "{line}")?;
    }
    let last = json!({"ok": true, "way": way.name(), "events": all.len(), "next_seq": store.stats().global_sequence,
        "report": report(&store)});
    writeln!(out, "{last}")?;
    Ok(true)
}
