//! A store in memory and operations made of closures, for this crate's tests.

use holdfast_store::{CommitInfo, Operation, Options, Store, Transaction, Verdict, Version};

struct Do<F, T> {
    body: F,
    answer: Option<T>,
}

impl<F: FnMut(&mut Transaction<'_>) -> T + Send + 'static, T: Send + 'static> Operation for Do<F, T> {
    fn info(&self) -> CommitInfo {
        CommitInfo { service: "test", operation: "Do", ..CommitInfo::default() }
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        self.answer = Some((self.body)(tx));
        Verdict::Keep
    }
}

pub(crate) fn store() -> Store {
    Store::open(Options { trimmer: false, ..Options::in_memory() }).unwrap()
}

/// Runs `body` as one operation that is kept; gives its answer and version.
pub(crate) fn run<T: Send + 'static>(
    store: &Store,
    body: impl FnMut(&mut Transaction<'_>) -> T + Send + 'static,
) -> (T, Version) {
    let (operation, version) = store.execute(Do { body, answer: None });
    let version = version.unwrap();
    (operation.answer.unwrap(), version)
}
