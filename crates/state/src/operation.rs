//! How an operation of a service meets the store.
//!
//! A service's `prepare` reads a request, checks it and plans it; nothing is looked up yet. What it returns is a read,
//! which runs on a snapshot, or a write, which runs on the executor. Both are plain functions of what they read:
//!
//! ```text
//! prepare --> Read  --> run(snapshot) ------------------------------> answer
//!         \-> Write --> prefetch(newest) --> run(transaction) --> answer, once durable
//! ```
//!
//! `E` is the service's error.

use holdfast_store::{CommitInfo, Need, Snapshot, Transaction, Verdict};

/// A request that has been read, checked and planned.
pub enum Prepared<E: 'static> {
    /// Reads only: runs on the newest durable state.
    Read(Box<dyn ReadOperation<E>>),
    /// Writes: runs on the executor.
    Write(Box<dyn WriteOperation<E>>),
}

impl<E: 'static> std::fmt::Debug for Prepared<E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Read(_) => "Prepared::Read",
            Self::Write(_) => "Prepared::Write",
        })
    }
}

/// How much an operation may have to look at, which decides where it reads: a read altogether, a write ahead of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// A bounded few keys: read on the thread that received the request.
    Point,
    /// Many keys or a range: read on the bounded pool of threads for long reads.
    Pages,
}

/// A planned read.
pub trait ReadOperation<E>: Send {
    /// How much it may have to look at. Whatever reads a range, or more than a few keys, says [`Extent::Pages`].
    fn extent(&self) -> Extent {
        Extent::Point
    }

    /// Reads and encodes the answer's body.
    ///
    /// # Errors
    /// The service's answer if the request is refused or a read failed.
    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, E>;
}

/// A planned write.
pub trait WriteOperation<E: 'static>: Send + 'static {
    /// What its `commits` row says.
    fn info(&self) -> CommitInfo;

    /// What it needs of the disk.
    fn need(&self) -> Need {
        Need::Room
    }

    /// How much [`WriteOperation::prefetch`] may have to look at. Whatever writes more than a few keys says
    /// [`Extent::Pages`], and is submitted by a thread of the pool.
    fn extent(&self) -> Extent {
        Extent::Point
    }

    /// Called on the submitting thread: reads what [`WriteOperation::run`] will read. What it finds may be old by then,
    /// so nothing may be decided from it.
    fn prefetch(&self, newest: &Snapshot) {
        let _ = newest;
    }

    /// Runs on the executor, perhaps again after a first run was thrown away: it starts from nothing each time and keeps
    /// what the answer needs inside `self`.
    ///
    /// # Errors
    /// The service's answer if the request is refused or a read failed; then nothing of it is stored.
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), E>;

    /// Completes the refusal that [`WriteOperation::run`] returned, off the executor: with what takes long to encode.
    fn refused(self: Box<Self>, refusal: E) -> E {
        refusal
    }

    /// Encodes the answer's body, after the commit and off the executor.
    ///
    /// # Errors
    /// If what is stored cannot be rendered.
    fn answer(self: Box<Self>) -> Result<Vec<u8>, E>;
}

/// A [`WriteOperation`] as the store runs it.
pub struct Submission<E: 'static> {
    operation: Box<dyn WriteOperation<E>>,
    refusal: Option<E>,
}

impl<E: 'static> Submission<E> {
    /// Wraps a planned write.
    #[must_use]
    pub fn new(operation: Box<dyn WriteOperation<E>>) -> Self {
        Self { operation, refusal: None }
    }

    /// Whether the operation refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// The answer, once the store has said that everything the operation saw is durable.
    ///
    /// # Errors
    /// The operation's refusal, or its failure to render.
    pub fn answer(self) -> Result<Vec<u8>, E> {
        match self.refusal {
            Some(refusal) => Err(self.operation.refused(refusal)),
            None => self.operation.answer(),
        }
    }
}

impl<E: Send + 'static> holdfast_store::Operation for Submission<E> {
    fn info(&self) -> CommitInfo {
        self.operation.info()
    }

    fn need(&self) -> Need {
        self.operation.need()
    }

    fn prefetch(&self, newest: &Snapshot) {
        self.operation.prefetch(newest);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        self.refusal = self.operation.run(tx).err();
        if self.refusal.is_some() { Verdict::Discard } else { Verdict::Keep }
    }
}

impl<E: 'static> std::fmt::Debug for Submission<E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let info = self.operation.info();
        formatter.debug_struct("Submission").field("operation", &info.operation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::SpaceKind;
    use crate::fixture::store;
    use crate::space::Space;
    use holdfast_store::Read;

    /// Creates a space, and then refuses if told to.
    struct Create {
        refuse: bool,
        runs: u32,
    }

    impl WriteOperation<String> for Create {
        fn info(&self) -> CommitInfo {
            CommitInfo { service: "test", operation: "Create", ..CommitInfo::default() }
        }

        fn need(&self) -> Need {
            Need::Free
        }

        fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), String> {
            self.runs += 1;
            let space = Space::create(tx, SpaceKind::CATALOG).map_err(|error| error.to_string())?;
            if self.refuse { Err(format!("refused after {:?}", space.id())) } else { Ok(()) }
        }

        fn refused(self: Box<Self>, refusal: String) -> String {
            format!("{refusal}, completed")
        }

        fn answer(self: Box<Self>) -> Result<Vec<u8>, String> {
            Ok(format!("{} runs", self.runs).into_bytes())
        }
    }

    #[test]
    fn a_kept_operation_answers_by_itself() {
        let store = store();
        let submission = Submission::new(Box::new(Create { refuse: false, runs: 0 }));
        assert_eq!(holdfast_store::Operation::need(&submission), Need::Free);
        assert_eq!(format!("{submission:?}"), "Submission { operation: \"Create\", .. }");
        let before = store.snapshot().version();
        let (submission, version) = store.execute(submission);
        assert_eq!(version.unwrap(), before + 1);
        assert_eq!(submission.answer(), Ok(b"1 runs".to_vec()));
    }

    #[test]
    fn a_refusal_leaves_nothing_and_is_the_answer() {
        let store = store();
        let before = store.snapshot().version();
        let (submission, version) =
            store.execute(Submission::new(Box::new(Create { refuse: true, runs: 0 })));
        assert_eq!(version.unwrap(), before);
        assert_eq!(store.snapshot().version(), before);
        assert!(submission.is_refused());
        assert_eq!(submission.answer(), Err("refused after SpaceId(1), completed".to_owned()));
    }

    #[test]
    fn a_second_run_forgets_the_refusal_of_the_first() {
        let store = store();
        let (mut submission, _) = store.execute(Submission::new(Box::new(Create { refuse: true, runs: 0 })));
        assert!(submission.refusal.is_some());
        submission.operation = Box::new(Create { refuse: false, runs: 5 });
        let (submission, version) = store.execute(submission);
        version.unwrap();
        assert_eq!(submission.answer(), Ok(b"6 runs".to_vec()));
    }
}
