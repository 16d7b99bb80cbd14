use super::*;
use crate::model::finding::Verdict;
use crate::model::progress::{AnalysisState, Phase};
use crate::web::error::Error;

const ID: Uuid = Uuid::from_u128(0x0194_0000_0000_7000_8000_0000_0000_0001);

fn begin(running: &Running, id: Uuid) -> Result<Task, Refusal> {
    running.begin(id, Some(100), Arc::default())
}

fn entry(running: &Running, id: Uuid) -> Arc<Entry> {
    match running.find(id) {
        Some(Known::Running(entry)) => entry,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_analysis_is_seen_while_it_runs() {
    let running = Running::new();
    assert!(running.find(ID).is_none());
    let received: Arc<AtomicU64> = Arc::default();
    let task = running.begin(ID, Some(100), Arc::clone(&received)).unwrap();
    let entry = entry(&running, ID);
    assert_eq!(entry.progress().phase, Phase::Waiting);
    task.enter(Phase::Receiving);
    received.store(60, std::sync::atomic::Ordering::Relaxed);
    task.counts().set_packets(7);
    task.counts().set_captures(1);
    let progress = entry.progress();
    assert_eq!((progress.state, progress.phase), (AnalysisState::Running, Phase::Receiving));
    assert_eq!((progress.bytes_received, progress.bytes_expected), (60, Some(100)));
    assert_eq!((progress.packets, progress.captures), (7, 1));
    let stages = entry.stages();
    task.finish(Verdict::Broken);
    assert!(running.find(ID).is_none());
    assert_eq!(*stages.borrow(), Stage::Ended(Outcome::Finished(Verdict::Broken)));
}

#[test]
fn an_id_is_free_again_once_its_analysis_failed() {
    let running = Running::new();
    let task = begin(&running, ID).unwrap();
    assert_eq!(begin(&running, ID).unwrap_err(), Refusal::IdTaken);
    task.fail(Error::CrossSite.problem());
    assert!(matches!(running.find(ID), Some(Known::Failed(problem)) if problem.status == 403));
    let again = begin(&running, ID).unwrap();
    // A sender that is gone leaves its task behind.
    drop(again);
    assert!(matches!(running.find(ID), Some(Known::Failed(problem)) if problem.status == 400));
    begin(&running, ID).unwrap().withdraw();
    assert!(running.find(ID).is_none());
}

#[test]
fn an_id_stays_taken_while_somebody_works_for_it() {
    let running = Running::new();
    let task = begin(&running, ID).unwrap();
    let hold = task.hold();
    drop(task);
    assert!(matches!(running.find(ID), Some(Known::Failed(_))));
    assert_eq!(begin(&running, ID).unwrap_err(), Refusal::IdTaken);
    drop(hold);
    assert!(begin(&running, ID).is_ok());
}

#[test]
fn neither_running_nor_failed_analyses_pile_up() {
    let running = Running::new();
    let id = |number: usize| Uuid::from_u128(u128::try_from(number).unwrap());
    let tasks: Vec<_> =
        (0..MOST_RUNNING).map(|number| begin(&running, id(number)).unwrap()).collect();
    assert_eq!(begin(&running, ID).unwrap_err(), Refusal::Full);
    assert_eq!(running.count(), MOST_RUNNING);
    drop(tasks);
    assert_eq!(running.count(), 0);
    assert_eq!(running.lock().failed.len(), MOST_FAILED);
    assert!(running.find(id(0)).is_none());
    assert!(running.find(id(MOST_RUNNING - 1)).is_some());
}

#[tokio::test]
async fn who_waits_sees_a_begin_and_the_end() {
    let running = Running::new();
    let mut expectation = running.expect();
    let _task = begin(&running, ID).unwrap();
    assert!(expectation.has_begun().await);
    running.close();
    assert!(!expectation.has_begun().await);
    assert!(!running.expect().has_begun().await);
}
