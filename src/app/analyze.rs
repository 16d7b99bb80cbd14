//! One analysis on the command line.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};

use super::progress::Bar;
use super::{BAD_INPUT, complain, fail, finish_output, json, write_output};
use crate::analysis::{Analysis, Limits, ReportHeader};
use crate::clock;
use crate::config::{
    Analyze, Colour, DeviceCount, Format, PointedFile, ShowProgress, iter_lists, name_option,
};
use crate::model::capture::CapturePoint;
use crate::model::input::{InputError, InputErrorKind};
use crate::model::label::{Labels, find_title};
use crate::model::progress::Counts;
use crate::model::reason::render_chain;
use crate::model::report::Report;
use crate::report::html::{self, Setting};
use crate::report::text::{self, Style};

/// Analyses all files, then prints the report. A file that cannot be analysed
/// is told on standard error, and then nothing is printed: half a report
/// would pass for a whole one.
pub fn run(settings: &Analyze) -> ExitCode {
    if let Err(message) = check_points(settings) {
        complain(&message, Some("Name each file once, with the place where it was taken."));
        return ExitCode::from(BAD_INPUT);
    }
    let mut report = match analyse(settings) {
        Ok(report) => report,
        Err(errors) => {
            for Unusable { option, error } in &errors {
                let message = render_chain(error);
                let message = match option {
                    Some(option) => format!("{}: {message}", name_option(option)),
                    None => message,
                };
                complain(&message, Some(error.kind.hint()));
            }
            return ExitCode::from(BAD_INPUT);
        }
    };
    let failed = settings.fail_on.is_some_and(|limit| report.verdict >= limit);
    let code = if failed { ExitCode::from(1) } else { ExitCode::SUCCESS };
    let most = settings.devices.map(DeviceCount::most);
    let written = match settings.format {
        Format::Text => write_text(&report, settings.colour, most),
        Format::Json => {
            report.keep_worst(most.unwrap_or(usize::MAX));
            write_json(&report)
        }
        Format::Html => {
            let most = most.unwrap_or(html::ROWS_MAX);
            match html::render_worst(&report, Setting::File, most) {
                Ok(page) => write_output(page.as_bytes()),
                Err(error) => return fail(&error),
            }
        }
    };
    // The program ends here: the system takes the memory back faster than we free it.
    std::mem::forget(report);
    finish_output(written, code)
}

/// An input that cannot be analysed.
struct Unusable {
    /// The option that names it; `None` where it is an operand.
    option: Option<&'static str>,
    error: InputError,
}

/// A report can be large: it is written as it is rendered.
fn write_json(report: &Report) -> io::Result<()> {
    let mut output = io::BufWriter::with_capacity(256 << 10, io::stdout().lock());
    json::write(report, &mut output)?;
    output.write_all(b"\n")?;
    output.flush()
}

fn analyse(settings: &Analyze) -> Result<Report, Vec<Unusable>> {
    let limits = Limits { expanded_bytes: settings.expanded_limit_bytes, ..Limits::default() };
    let counts = Counts::default();
    let mut analysis = Analysis::new(limits).counting_into(counts.clone());
    let captures = captures(settings);
    // What comes through a pipe cannot be read again if it is more than it seemed.
    if let [(path, _)] = captures[..]
        && path.is_file()
    {
        analysis = analysis.of_one_input();
    }
    let inventory = iter_lists(&settings.inventory).map(PathBuf::as_path);
    let inputs: Vec<_> = inventory.chain(captures.iter().map(|(path, _)| *path)).collect();
    let show = if settings.quiet { ShowProgress::Never } else { settings.progress };
    // Dropped before anything else is written, it leaves nothing on the screen.
    let bar = Bar::start(show, &inputs, counts);
    let mut labels = Labels::default();
    let mut names = Vec::new();
    let mut errors = Vec::new();
    for path in iter_lists(&settings.inventory) {
        let label = labels.unique(&path.to_string_lossy(), "inventory");
        let result = read(path, &label, &bar, |input| analysis.read_inventory(&label, input));
        errors.extend(result.err().map(|error| located(error, path, Some("--inventory"))));
    }
    let mut labelled = Vec::new();
    for (path, point) in captures {
        let is_file = path.as_os_str() != "-";
        let name = if is_file { path.to_string_lossy() } else { "standard input".into() };
        let label = labels.unique(&name, "capture");
        names.push(is_file.then(|| label.clone()));
        let stated: Option<CapturePoint> = point.cloned();
        let result = read(path, &label, &bar, |input| analysis.read_capture(&label, stated, input));
        errors.extend(result.err().map(|error| located(error, path, option_of(point))));
        labelled.push((path, point, label));
    }
    // What came through a pipe is gone.
    let can_read_again = labelled.iter().all(|(path, ..)| path.is_file());
    if errors.is_empty()
        && can_read_again
        && let Some(order) = analysis.find_order_to_read_again()
    {
        analysis.begin_again();
        bar.begin_again();
        for (path, point, label) in order.iter().filter_map(|input| labelled.get(*input)) {
            let stated = point.cloned();
            let result =
                read(path, label, &bar, |input| analysis.read_capture(label, stated, input));
            errors.extend(result.err().map(|error| located(error, path, option_of(*point))));
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let header = ReportHeader {
        id: clock::new_id(),
        title: settings.title.clone().or_else(|| find_title(&names)),
        created_at: clock::now(),
    };
    bar.diagnose();
    analysis.finish(header).map_err(|error| vec![Unusable { option: None, error }])
}

/// The captures and where they were taken, in the order in which they are read.
fn captures(settings: &Analyze) -> Vec<(&Path, Option<&CapturePoint>)> {
    let points = iter_lists(&settings.points);
    let pointed = points.map(|one| (one.file.as_path(), Some(&one.point)));
    let files = settings.files.iter().map(|file| (file.as_path(), None));
    // A file that is listed once more, perhaps by another path, is one capture.
    let mut known = HashSet::new();
    pointed.chain(files).filter(|(file, _)| known.insert(identity(file))).collect()
}

/// One capture was taken at one place.
fn check_points(settings: &Analyze) -> Result<(), String> {
    let mut known: HashMap<PathBuf, &CapturePoint> = HashMap::new();
    for PointedFile { point, file } in iter_lists(&settings.points) {
        let first = known.entry(identity(file)).or_insert(point);
        if *first != point {
            let option = name_option("--point");
            return Err(format!(
                "{option} says that '{}' was taken at {first} and at {point}; expected one place",
                file.display()
            ));
        }
    }
    Ok(())
}

/// The one path of a file that has several; of standard input, or where there is none,
/// what was typed.
fn identity(path: &Path) -> PathBuf {
    let is_file = path.as_os_str() != "-";
    let found = is_file.then(|| path.canonicalize().ok()).flatten();
    found.unwrap_or_else(|| path.to_owned())
}

fn read(
    path: &Path,
    label: &str,
    bar: &Bar,
    take: impl FnOnce(&mut dyn Read) -> Result<(), InputError>,
) -> Result<(), InputError> {
    if path.as_os_str() == "-" {
        return take(&mut bar.follow(label, io::stdin().lock()));
    }
    match File::open(path) {
        Ok(file) => take(&mut bar.follow(label, file)),
        Err(error) => Err(InputError { name: label.to_owned(), kind: InputErrorKind::Read(error) }),
    }
}

/// The option that names a capture with its place.
fn option_of(point: Option<&CapturePoint>) -> Option<&'static str> {
    point.map(|_| "--point")
}

/// The report names captures by file name; whoever typed the path wants the path.
fn located(error: InputError, path: &Path, option: Option<&'static str>) -> Unusable {
    Unusable { option, error: InputError { name: path.to_string_lossy().into_owned(), ..error } }
}

fn write_text(report: &Report, colour: Colour, most: Option<usize>) -> io::Result<()> {
    let output = io::stdout().lock();
    let choice = match colour {
        Colour::Always => ColorChoice::AlwaysAnsi,
        Colour::Never => ColorChoice::Never,
        Colour::Auto => AutoStream::choice(&output),
    };
    let style = if choice == ColorChoice::Never { Style::Plain } else { Style::Ansi };
    let mut output = AutoStream::new(output, choice);
    output.write_all(text::render_worst(report, style, most).as_bytes())?;
    output.flush()
}
