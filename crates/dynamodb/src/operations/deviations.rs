//! The one list of what is different from AWS on purpose or for now, beside what [`super::OPERATIONS`] says.
//!
//! COMPAT.md is made from it by `cargo xtask compat`, which reads this file as text: three texts an entry.

/// Something that a client can tell from AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deviation {
    /// In which case.
    pub what: &'static str,
    /// What AWS does.
    pub aws: &'static str,
    /// What this build does.
    pub here: &'static str,
}

/// All of them.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        what: "Signatures",
        aws: "The signature, its age and the permissions of the access key are checked.",
        here: "The credential must be there in SigV4's form, in the header or in the query; its signature and its age are \
               checked with `--sigv4 required` only, permissions never. Any name counts as a region.",
    },
    Deviation {
        what: "Access keys of temporary credentials with `--sigv4 required`",
        aws: "The session token is checked and may have expired.",
        here: "Keys are those of `--access-key`; a session token is not looked at.",
    },
    Deviation {
        what: "`x-amz-target` that is not signed, with `--sigv4 required`",
        aws: "Not known to us.",
        here: "`InvalidSignatureException`: the operation could be exchanged.",
    },
    Deviation {
        what: "Text for an `Authorization` header that lacks a part",
        aws: "Newer answers of other services name the header by its hash; DynamoDB's are not known to us.",
        here: "The scheme of the header stands at the end, never its signature.",
    },
    Deviation {
        what: "Pages of other sites (CORS)",
        aws: "Every page may read answers.",
        here: "None, unless `--cors` names its origin: any access key would let it in.",
    },
    Deviation {
        what: "Request bodies packed with gzip",
        aws: "May unpack to a gigabyte.",
        here: "May unpack to 16 MiB, the limit of every body; more is answered with status 413.",
    },
    Deviation {
        what: "Slow clients",
        aws: "Not known to us.",
        here: "The head of a request must arrive within 30 seconds, its body within 60; an answer of which nothing is taken \
               in for 30 seconds ends the connection. An idle one is kept for 5 minutes, and less where none is left.",
    },
    Deviation {
        what: "Regions",
        aws: "Each region has tables of its own.",
        here: "All regions show one set of tables, unless `--isolate-by region` separates them; ARNs in answers name the region \
               of the request.",
    },
    Deviation {
        what: "Changes of tags",
        aws: "They show after a second or two. Until then further ones are refused with `LimitExceededException`, and \
              `DeleteTable` with `ResourceInUseException`.",
        here: "They are there with the answer.",
    },
    Deviation {
        what: "Region and account in an ARN given as `TableName` or `ResourceArn`",
        aws: "Another account's table is refused with `AccessDeniedException` unless a policy lets the caller in, another region's \
              with `ValidationException`.",
        here: "They must have the right form; only the table's name counts, unless `--isolate-by region` separates \
               regions: then another region's is refused as on AWS.",
    },
    Deviation {
        what: "Text for an ARN that names no table",
        aws: "A `ValidationException` with a text that is not known to us.",
        here: "A `ValidationException` with a text of our own.",
    },
    Deviation {
        what: "Member of a structure sent twice",
        aws: "As far as is known, the last one counts.",
        here: "`SerializationException`. Of attributes and other names that are data the last one counts.",
    },
    Deviation {
        what: "Text for a member of the wrong JSON type where the model says `Long`",
        aws: "`STRING_VALUE cannot be converted to Long`.",
        here: "`STRING_VALUE cannot be converted to Integer`.",
    },
    Deviation {
        what: "Creating and deleting a table",
        aws: "Takes seconds; in between the table is `CREATING` or `DELETING`.",
        here: "Done with the answer: the next request finds the table `ACTIVE` or gone. With \
               `--delay-transient-statuses` both take two seconds.",
    },
    Deviation {
        what: "Text for more than 100 attributes in the projections of a table's indexes",
        aws: "A text that is not known to us.",
        here: "A `ValidationException` with a text of our own.",
    },
    Deviation {
        what: "`StreamSpecification`, `SSESpecification`, `TableClass` and `DeletionProtectionEnabled` of \
               `CreateTable`",
        aws: "All are evaluated.",
        here: "What asks for nothing is taken: no stream, `Enabled: false`, `STANDARD`, no protection. \
               Any other value is refused.",
    },
    Deviation {
        what: "`WarmThroughput` in `DescribeTable`",
        aws: "Keeps the highest throughput that a table or index ever had.",
        here: "Provisioned throughput as it is, or 12,000 and 4,000 with pay per request.",
    },
    Deviation {
        what: "`ItemCount`, `TableSizeBytes` and `IndexSizeBytes`",
        aws: "Renewed about every six hours.",
        here: "Exact at every moment.",
    },
    Deviation {
        what: "Capacity",
        aws: "Requests beyond a table's throughput or an account's quotas are throttled.",
        here: "Throughput is kept and returned without effect; there are no quotas.",
    },
    Deviation {
        what: "`BatchWriteItem`",
        aws: "Each request of a batch is done or not by itself; what was not done comes back in `UnprocessedItems`.",
        here: "A batch is one commit: done whole or not at all. `UnprocessedItems` is always empty.",
    },
    Deviation {
        what: "`ConsumedCapacity` of pages",
        aws: "As far as is known, every partition that a page is read from costs half a unit at least, and what items take in \
              storage counts.",
        here: "A table and an index are one partition each, and sizes of items count as documented.",
    },
    Deviation {
        what: "`ConsumedCapacity` of transactions that change indexes",
        aws: "Not known to us: documented is that each item is written twice.",
        here: "Rows of indexes count twice as well, as DynamoDB Local has it.",
    },
    Deviation {
        what: "Order of tables and indexes in `ConsumedCapacity`",
        aws: "Any.",
        here: "Tables as in the request, indexes by their names.",
    },
    Deviation {
        what: "`SizeEstimateRangeGB` in `ItemCollectionMetrics`",
        aws: "An estimate for the items of one partition key.",
        here: "From 0 to the gigabytes of the whole table with its local indexes, rounded up.",
    },
    Deviation {
        what: "Items of one partition key, of a table with local indexes, that come to more than 10 GB",
        aws: "`ItemCollectionSizeLimitExceededException` for writes that add to them.",
        here: "There is no such limit.",
    },
    Deviation {
        what: "Eventually consistent reads",
        aws: "May show a state of a moment ago.",
        here: "Every read is strongly consistent.",
    },
    Deviation {
        what: "`ExclusiveStartKey` with a value that names no type or several",
        aws: "As far as is known, the text begins with `The provided starting key is invalid: `.",
        here: "The text is that of such a value anywhere else.",
    },
    Deviation {
        what: "Order of items in answers of BatchGetItem",
        aws: "Any.",
        here: "That of the keys in the request.",
    },
    Deviation {
        what: "Transactions and other writes that meet on an item",
        aws: "One of them is cancelled or refused: `TransactionConflict`, `TransactionInProgressException`.",
        here: "They are done one after the other.",
    },
    Deviation {
        what: "A transaction that is repeated with its token and another `ReturnConsumedCapacity` or \
               `ReturnItemCollectionMetrics`",
        aws: "Not known to us.",
        here: "Is the same transaction. It tells of its items as they are now.",
    },
    Deviation {
        what: "4 MB for the items of a transaction",
        aws: "As far as is known, what the request has counts, and of reads what is answered.",
        here: "As documented, whole items count: those that are put, those that updates make, and those that are read, whatever \
               a projection shows of them.",
    },
    Deviation {
        what: "A `ClientRequestToken` whose table was dropped and made again meanwhile",
        aws: "Not known to us.",
        here: "Tokens belong to the account: within 10 minutes the same request is answered as done and does nothing.",
    },
    Deviation {
        what: "Items among the reasons of a cancelled transaction",
        aws: "Not known to us how much of them.",
        here: "At most 4 MB as they are stored; the reasons after that come without.",
    },
    Deviation {
        what: "Text for a transaction of more than 100 actions",
        aws: "Echoes all of them as Java prints them, in a form that is not known to us.",
        here: "Echoes all of them as JSON.",
    },
    Deviation {
        what: "Where a page of 1 MB ends",
        aws: "As far as is known, what items take in storage counts, up to 1 % more than their documented size.",
        here: "Sizes of items count as documented; the item that reaches 1,048,576 bytes is the page's last.",
    },
    Deviation {
        what: "A page of Query or Scan whose filter compares every item with large values",
        aws: "Not known to us.",
        here: "Ends early, with `LastEvaluatedKey`, when the filter has looked through 512 MB.",
    },
    Deviation {
        what: "Full disk, or more to do than is kept waiting",
        aws: "Does not show.",
        here: "`ServiceUnavailableException` with status 503; nothing was stored.",
    },
    Deviation {
        what: "A write with very long expressions on large items or values, whose item changes while it is looked at",
        aws: "Not known to us.",
        here: "`ServiceUnavailableException` with status 503; nothing was stored. Clients send it again.",
    },
    Deviation {
        what: "Time to live: when items go",
        aws: "Within a few days after their time.",
        here: "Within seconds after their time, by the service clock (`holdfast clock`). Until then they are shown, as by AWS.",
    },
    Deviation {
        what: "Time to live: changes",
        aws: "Refused when there was one within half an hour or an hour.",
        here: "As often as wanted.",
    },
    Deviation {
        what: "Other services under the same address",
        aws: "Each service has an address of its own.",
        here: "Refused with status 501 in the form of the client's protocol; DynamoDB Streams with \
               `UnknownOperationException`.",
    },
];

#[cfg(test)]
mod tests {
    use super::DEVIATIONS;

    #[test]
    fn every_entry_says_all_three() {
        for entry in DEVIATIONS {
            let texts = [entry.what, entry.aws, entry.here];
            assert!(texts.iter().all(|text| !text.is_empty() && !text.contains(['|', '\n'])), "{entry:?}");
        }
    }
}
