//! Bytes as text, private copies of directories, seeded randomness, and a wall clock that can be moved.

use batpak::store::{Clock, SystemClock};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::Arc;

pub type Res<T> = Result<T, Box<dyn std::error::Error>>;

pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.push(char::from_digit(u32::from(b >> 4), 16).unwrap_or('?'));
        out.push(char::from_digit(u32::from(b & 15), 16).unwrap_or('?'));
    }
    out
}

pub fn hex_id(id: u128) -> String {
    format!("{id:032x}")
}

/// RFC 4648 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let mut word = [0u8; 4];
        word[1..1 + three.len()].copy_from_slice(three);
        let word = u32::from_be_bytes(word);
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// The files and folders of a data directory, without those that are ours alone and without the lock.
fn copy_store(from: &Path, to: &Path) -> Res<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() == ".batfs" || entry.file_name() == ".batpak.lock" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_store(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// A private copy of a data directory that goes away with its owner.
pub struct Copy(PathBuf);

impl Copy {
    pub fn of(dir: &Path) -> Res<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("interop-{}-{n}", std::process::id()));
        let copy = Self(path);
        copy_store(dir, copy.path())?;
        Ok(copy)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes a file away; says whether it was there.
    pub fn without(&self, name: &str) -> Res<bool> {
        match fs::remove_file(self.0.join(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// splitmix64: the same numbers for the same seed, for ever.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn index(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }

    pub fn id(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next()) | 1
    }
}

/// The system's clock, moved by an offset that can change at any time, also backwards.
pub struct MovedClock {
    offset_us: AtomicI64,
    system: SystemClock,
}

impl MovedClock {
    pub fn new(offset_us: i64) -> Arc<Self> {
        Arc::new(Self { offset_us: AtomicI64::new(offset_us), system: SystemClock::new() })
    }

    pub fn move_by(&self, us: i64) {
        self.offset_us.fetch_add(us, Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now_us(&self) -> i64 {
        self.system.now_us() + self.offset_us.load(Ordering::SeqCst)
    }

    fn now_wall_ns(&self) -> i64 {
        self.now_us() * 1000
    }

    fn now_mono_ns(&self) -> i64 {
        self.system.now_mono_ns()
    }

    fn process_boot_ns(&self) -> u64 {
        self.system.process_boot_ns()
    }
}
