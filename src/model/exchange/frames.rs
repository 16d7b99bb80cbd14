//! All the frames that a view points at.

use super::{Tally, View};
use crate::model::capture::FrameRef;

impl View {
    /// Shows each frame that the view names to `visit`, which may put another in its place.
    pub fn visit_frames(&mut self, visit: &mut dyn FnMut(&mut FrameRef)) {
        let replies = self.replies.iter_mut().map(|replies| &mut replies.tally);
        let follow_ups = self.follow_ups.iter_mut().map(|follow_ups| &mut follow_ups.tally);
        let errors = self.icmp_errors.iter_mut().map(|errors| &mut errors.tally);
        let own = [&mut self.requests, &mut self.unanswered, &mut self.passed_over];
        for tally in own.into_iter().chain(replies).chain(follow_ups).chain(errors) {
            let Tally { packets: _, bytes: _, repeats: _, first, last, first_repeat } = tally;
            [first, last, first_repeat].into_iter().flatten().for_each(&mut *visit);
        }
        let optional = [&mut self.reset, &mut self.progress, &mut self.answered_elsewhere];
        optional.into_iter().flatten().for_each(&mut *visit);
        self.lost_replies.iter_mut().for_each(|lost| visit(&mut lost.frame));
        self.lost_requests.iter_mut().for_each(|lost| visit(&mut lost.frame));
        self.asked_again.iter_mut().for_each(|again| visit(&mut again.frame));
        self.discarded.iter_mut().for_each(|discarded| visit(&mut discarded.frame));
        self.dropped.iter_mut().for_each(|dropped| visit(&mut dropped.frame));
        self.error_answer.iter_mut().for_each(|answer| visit(&mut answer.frame));
        self.payload_replies.iter_mut().for_each(|replies| visit(&mut replies.first));
        self.late_change.iter_mut().for_each(|change| visit(&mut change.frame));
        if let Some(stall) = &mut self.stall {
            visit(&mut stall.first);
            visit(&mut stall.last);
        }
        self.steps.iter_mut().for_each(|step| visit(&mut step.frame));
    }
}
