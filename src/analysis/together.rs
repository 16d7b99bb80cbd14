//! A second core for a part of the work.

use std::thread::{self, Builder};

/// Runs `aside` on another thread while `here` runs on this one. False where no
/// thread is to be had; then neither has run.
pub fn run_together(aside: &mut (dyn FnMut() + Send), here: &mut dyn FnMut()) -> bool {
    thread::scope(|scope| {
        let builder = Builder::new().name("read frames".to_owned());
        let Ok(thread) = builder.spawn_scoped(scope, aside) else { return false };
        here();
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_run_and_on_threads_of_their_own() {
        let (mut aside, mut here) = (None, None);
        let ran = run_together(&mut || aside = Some(thread::current().id()), &mut || {
            here = Some(thread::current().id());
        });
        assert!(ran);
        assert_eq!(here, Some(thread::current().id()));
        assert!(aside.is_some() && aside != here);
    }
}
