//! interop: what batpak 0.8.2 makes of a directory, and its turns in the games that tests/interop/run plays with batfs.

mod check;
mod dump;
mod turn;
mod util;

use std::path::Path;
use std::process::ExitCode;
use util::Res;

const USAGE: &str = "usage:
  interop dump DIR [--no-index|--ckpt-only|--fbati-only] [--in-place] [--count]
      every visible event as a line of JSON (not with --count), then one line that says how the directory opened
  interop check DIR [--writable] [--strict-ext] [--loose-seq] [--no-markers] [--unreadable]
      opens private copies by each index alone and by none; exit 1 with findings unless all hold and agree
      --writable     one session of batpak in the copy first: open, append, close
      --strict-ext   extensions and receipts must survive wherever an index opens (batpak loses some on a rebuild)
      --loose-seq    sequence numbers may differ between ways of opening
      --no-markers   events of the batch marker kinds may be missing without an index
      --unreadable   events that read_raw refuses are counted, not findings
  interop append DIR SEED N [--batches] [--ext] [--keys] [--fence] [--clock-jumps] [--clock-offset SECONDS]
                 [--index fbati|ckpt|none] [--segment-max BYTES] [--tag TEXT] [--compact] [--drop|--crash]
      N random operations; prints every event that was acknowledged";

pub struct Args(Vec<String>);

impl Args {
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|a| a != name);
        self.0.len() != before
    }

    pub fn value(&mut self, name: &str) -> Res<Option<String>> {
        let Some(at) = self.0.iter().position(|a| a == name) else { return Ok(None) };
        if at + 1 >= self.0.len() {
            return Err(format!("{name} needs a value").into());
        }
        self.0.remove(at);
        Ok(Some(self.0.remove(at)))
    }

    /// The positional arguments, once every option was taken.
    pub fn rest<const N: usize>(&mut self) -> Res<[String; N]> {
        std::mem::take(&mut self.0)
            .try_into()
            .map_err(|left| format!("{USAGE}\nnot understood: {left:?}").into())
    }
}

fn run() -> Res<bool> {
    let mut args = Args(std::env::args().skip(1).collect());
    if args.0.is_empty() {
        return Err(USAGE.into());
    }
    match args.0.remove(0).as_str() {
        "dump" => {
            let (in_place, count) = (args.flag("--in-place"), args.flag("--count"));
            let way = dump::Way::from_args(&mut args);
            let [dir] = args.rest()?;
            dump::dump(Path::new(&dir), way, in_place, count)
        }
        "check" => {
            let wish = check::Wish {
                writable: args.flag("--writable"),
                strict_ext: args.flag("--strict-ext"),
                loose_seq: args.flag("--loose-seq"),
                no_markers: args.flag("--no-markers"),
                unreadable: args.flag("--unreadable"),
            };
            let [dir] = args.rest()?;
            check::check(Path::new(&dir), &wish)
        }
        "append" => {
            let plan = turn::Plan::from_args(&mut args)?;
            let [dir, seed, n] = args.rest()?;
            turn::turn(Path::new(&dir), seed.parse()?, n.parse()?, plan)?;
            Ok(true)
        }
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("interop: {error}");
            ExitCode::from(2)
        }
    }
}
