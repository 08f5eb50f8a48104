//! `TransactWriteItems`: up to 100 puts, updates, deletes and checks of items of one or more tables, all or none of them.
//!
//! It is one operation of the store and so one commit, in which its token is written too. Each action is decided before any is
//! applied; since no two are about one item, none sees what another does.

use super::{Prepared, read};
use crate::capacity::render::Kind;
use crate::catalog::{Scope, Table, failed};
use crate::errors::{self, transactions};
use crate::request::{self, Answer};
use crate::transaction::action::Action;
use crate::transaction::fingerprint::Fingerprint;
use crate::transaction::reasons::Reason;
use crate::transaction::targets::{Items, Tables, is_refused_at_once};
use crate::transaction::tokens::{Earlier, Token};
use crate::transaction::{ITEMS_BYTES_MAX, POINT_ACTIONS_MAX};
use crate::write::effort::Effort;
use crate::write::told::{Asked, ToldOfTables};
use crate::write::{self, Change, Layout, WriteFault};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::TransactWriteItemsInput;
use holdfast_state::operation::{Extent, WriteOperation};
use holdfast_store::{CommitInfo, Need, Snapshot, Transaction};
use std::borrow::Cow;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored: the first fault of the first action that has one, then items
/// that are too large together. Source of the order: recorded, but for the last.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: TransactWriteItemsInput = read(body)?;
    let asked = Asked::read(
        input.return_consumed_capacity.as_deref(),
        input.return_item_collection_metrics.as_deref(),
    );
    let scope = Scope::of(context);
    let entries = input.transact_items.unwrap_or_default();
    let token = input
        .client_request_token
        .map(|token| Token::new(scope.data_set(), token, Fingerprint::of(&entries), context.now_ms));
    let mut tables = Tables::default();
    let actions: Vec<Action> =
        entries.into_iter().map(|entry| Action::read(entry, &mut tables)).collect::<Result<_, Error>>()?;
    check_size(actions.iter().map(|action| action.size).sum())?;
    Ok(Prepared::Write(Box::new(TransactWriteItems {
        info: request::commit_info(context, "TransactWriteItems"),
        need: if actions.iter().any(|action| action.needs_room) { Need::Room } else { Need::Free },
        scope,
        tables,
        actions,
        token,
        asked,
        told: Told::default(),
        reasons: Vec::new(),
    })))
}

/// Most that the items of all reasons may take in the store, in bytes; from the first that goes beyond it on, reasons come
/// without theirs. AWS's limit is not known. Ours keeps one answer from filling the memory.
const SHOWN_BYTES_MAX: usize = 4 << 20;

fn check_size(bytes: u64) -> Result<(), Error> {
    if bytes > ITEMS_BYTES_MAX { Err(transactions::request_too_large(bytes)) } else { Ok(()) }
}

struct TransactWriteItems {
    info: CommitInfo,
    need: Need,
    scope: Scope,
    tables: Tables,
    actions: Vec<Action>,
    token: Option<Token>,
    asked: Asked,
    told: Told,
    /// Why it was cancelled, if it was.
    reasons: Vec<Option<Reason>>,
}

/// What the answer tells.
#[derive(Default)]
struct Told {
    of_tables: ToldOfTables,
    /// Whether the transaction was done before.
    is_repeat: bool,
}

/// An action with its table, and the key of its item unless that is none of the table.
struct Target<'t> {
    action: &'t Action,
    table: &'t Layout<'t>,
    key: Result<Cow<'t, [u8]>, Reason>,
}

/// Why nothing is done.
enum Refusal {
    /// The request is refused.
    Request(Error),
    /// The transaction is cancelled, for these reasons.
    Cancelled(Vec<Option<Reason>>),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}

/// A target whose change was decided.
struct Decided<'t> {
    target: &'t Target<'t>,
    key: &'t [u8],
    change: Change<'t>,
}

impl WriteOperation<Error> for TransactWriteItems {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn need(&self) -> Need {
        self.need
    }

    fn extent(&self) -> Extent {
        if self.actions.len() > POINT_ACTIONS_MAX {
            return Extent::Pages;
        }
        write::extent(self.actions.iter().map(|action| &action.write))
    }

    fn prefetch(&self, newest: &Snapshot) {
        if let Some(token) = &self.token {
            token.prefetch(newest);
        }
        let Ok(tables) = self.tables.find(newest, &self.scope) else { return };
        let layouts: Vec<Option<Layout<'_>>> =
            tables.iter().map(|table| Layout::read(table.as_ref()?).ok()).collect();
        for action in &self.actions {
            if let Some(Some(table)) = layouts.get(action.table) {
                action.write.prefetch(newest, table);
            }
        }
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        (self.told, self.reasons) = (Told::default(), Vec::new());
        let tables = self.tables.find(tx, &self.scope)?;
        let layouts = layouts(&tables)?;
        let targets = self.targets(&layouts)?;
        if let Some(token) = &self.token {
            match token.earlier(tx).map_err(failed)? {
                Earlier::Nothing => {}
                Earlier::Same => {
                    self.told = self.tell_of_repeat(tx, &targets)?;
                    return Ok(());
                }
                Earlier::Other => return Err(transactions::other_request()),
            }
        }
        let decided = match decide(tx, &targets, self.asked.needs_before()) {
            Ok(decided) => decided,
            Err(Refusal::Request(error)) => return Err(error),
            Err(Refusal::Cancelled(reasons)) => {
                self.reasons = reasons;
                return Err(transactions::cancelled(&self.reasons));
            }
        };
        let told = self.tell(tx, &decided)?;
        for Decided { target, key, change } in &decided {
            target.action.write.apply(tx, target.table, key, change)?;
        }
        if let Some(token) = &self.token {
            token.keep(tx).map_err(failed)?;
        }
        self.told = told;
        Ok(())
    }

    fn refused(self: Box<Self>, refusal: Error) -> Error {
        if self.reasons.is_empty() { refusal } else { transactions::with_reasons(refusal, &self.reasons) }
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        let mut answer = Answer::with_capacity(64);
        let kind = if self.told.is_repeat { Kind::Read } else { Kind::Write };
        let of_tables = &self.told.of_tables;
        of_tables.render(self.asked, kind, &mut answer).map_err(|error| errors::damaged(&error))?;
        Ok(answer.finish())
    }
}

fn layouts(tables: &[Option<Table>]) -> Result<Vec<Option<Layout<'_>>>, Error> {
    tables.iter().map(|table| table.as_ref().map(Layout::read).transpose()).collect()
}

impl TransactWriteItems {
    /// The items, in the order of the actions.
    ///
    /// # Errors
    /// In the order of the actions: a table that is not there, an empty value of a key, an item that is named twice. Source:
    /// recorded; for the order of these the local emulator.
    fn targets<'t>(&'t self, layouts: &'t [Option<Layout<'t>>]) -> Result<Vec<Target<'t>>, Error> {
        let mut items = Items::default();
        let mut targets = Vec::with_capacity(self.actions.len());
        for action in &self.actions {
            let table =
                layouts.get(action.table).and_then(Option::as_ref).ok_or_else(errors::no_such_table)?;
            let key = match action.write.key_or_fault(table) {
                Ok(key) => {
                    items.add(table.table.space.id(), key.clone())?;
                    Ok(key)
                }
                Err(error) if is_refused_at_once(&error) => return Err((action.key_fault)(&error)),
                Err(error) => Err(Reason::of_refusal((action.key_fault)(&error))?),
            };
            targets.push(Target { action, table, key });
        }
        Ok(targets)
    }

    /// The name of a target's table, as it was sent.
    fn name(&self, target: &Target<'_>) -> &str {
        self.tables.sent().nth(target.action.table).unwrap_or_default()
    }

    /// What is told of a transaction that is about to be done.
    fn tell(&self, tx: &Transaction<'_>, decided: &[Decided<'_>]) -> Result<Told, Error> {
        let mut of_tables = ToldOfTables::default();
        if self.asked.is_anything() {
            for Decided { target, key, change } in decided {
                let asked = if target.action.is_check { self.asked.of_unchanged() } else { self.asked };
                of_tables.of(self.name(target)).add(asked, tx, target.table, key, change)?;
            }
        }
        Ok(Told { of_tables: of_tables.doubled(), is_repeat: false })
    }

    /// What is told of a transaction that was done before: that its items were read. Source: recorded; that they are read as
    /// they are now is ours.
    fn tell_of_repeat(&self, tx: &Transaction<'_>, targets: &[Target<'_>]) -> Result<Told, Error> {
        let mut of_tables = ToldOfTables::default();
        if self.asked.needs_before() {
            for target in targets {
                let item = match &target.key {
                    Ok(key) => target.table.table.space.get(tx, key).map_err(failed)?,
                    Err(_) => None,
                };
                of_tables.of(self.name(target)).add_reread(item.map_or(0, |item| item.size));
            }
        }
        Ok(Told { of_tables: of_tables.doubled(), is_repeat: true })
    }
}

/// Decides every action; `wanted` says whether the items before are needed for the answer.
///
/// # Errors
/// What refuses the request at once; a reason for each action if there is something against any; items that are too large
/// together.
fn decide<'t>(
    tx: &Transaction<'_>,
    targets: &'t [Target<'t>],
    wanted: bool,
) -> Result<Vec<Decided<'t>>, Refusal> {
    let mut decided = Vec::with_capacity(targets.len());
    let mut reasons = Vec::new();
    let mut size = 0;
    let mut shown = 0;
    let mut effort = Effort::default();
    for (at, target) in targets.iter().enumerate() {
        let Target { action, table, key } = target;
        let outcome = match key {
            Ok(key) => match action.write.decide(tx, table, key, wanted, &mut effort) {
                Ok(change) => {
                    size += change.stored_size();
                    decided.push(Decided { target, key, change });
                    continue;
                }
                Err(fault) => {
                    shown += fault.item().filter(|_| action.shows_item).map_or(0, |item| item.len());
                    reason(fault, action.shows_item && shown <= SHOWN_BYTES_MAX)?
                }
            },
            Err(reason) => reason.clone(),
        };
        reasons.resize_with(at, || None);
        reasons.push(Some(outcome));
    }
    if reasons.is_empty() {
        check_size(size)?;
        return Ok(decided);
    }
    reasons.resize_with(targets.len(), || None);
    Err(Refusal::Cancelled(reasons))
}

/// What a fault is among the reasons.
///
/// # Errors
/// What refuses the request at once: an empty value of an index's key (source: recorded), what is wrong whatever the item is
/// (source: the local emulator); a failure on our side.
fn reason(fault: WriteFault, shows_item: bool) -> Result<Reason, Error> {
    match fault {
        WriteFault::Condition(item) => Ok(Reason::Condition(item.filter(|_| shows_item))),
        WriteFault::Failed(error) => Err(error),
        fault if fault.is_empty_index_key() => Err(fault.into_error()),
        fault => Reason::of_refusal(fault.into_error()),
    }
}
