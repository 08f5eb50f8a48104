//! The first user's items, made up: the same for the same number, on every machine.
//!
//! Shapes, types and values are facts about what its code writes; names and texts are ours. Attributes that are index keys
//! come with the types that its tables of 2025-10-22 ask for.

use super::item::{Finished, Item, list, string};
use holdfast_testkit::random::Random;

/// 2025-10-01 in milliseconds: nothing is older.
const FIRST_MS: u64 = 1_759_276_800_000;
/// Five weeks of milliseconds, within which things were made.
const SPAN_MS: u64 = 3_024_000_000;
/// Listings for each user, on average.
pub const LISTINGS_PER_USER: u64 = 10;

const STATES: [(&str, &str, &str, &str); 6] = [
    ("Miami", "FL", "25.7617", "-80.1918"),
    ("Annapolis", "MD", "38.9784", "-76.4922"),
    ("Newport", "RI", "41.4901", "-71.3128"),
    ("San Diego", "CA", "32.7157", "-117.1611"),
    ("Seattle", "WA", "47.6062", "-122.3321"),
    ("Traverse City", "MI", "44.7631", "-85.6206"),
];
const BOATS: [&str; 10] = [
    "Motor Yacht",
    "Sailboat",
    "Catamaran",
    "Fishing Boat",
    "Pontoon",
    "Speedboat",
    "Trawler",
    "Cabin Cruiser",
    "Bowrider",
    "Center Console",
];
const MAKERS: [&str; 5] = ["Northwind", "Halyard", "Pelican", "Kelp & Sons", "Stormvogel"];
const CONDITIONS: [&str; 4] = ["Excellent", "Good", "Fair", "Needs Work"];
const LISTING_STATUS: [&str; 10] = [
    "active",
    "active",
    "active",
    "active",
    "active",
    "pending_review",
    "under_review",
    "sold",
    "inactive",
    "rejected",
];
const ENGINE_COUNTS: [&str; 4] = ["single", "twin", "triple", "quad"];
const FEATURES: [&str; 8] = [
    "Air conditioning",
    "Bow thruster",
    "Chart plotter",
    "Dinghy davits",
    "Generator",
    "Radar",
    "Solar panels",
    "Windlass",
];
const FIRST_NAMES: [&str; 8] = ["Ada", "Björn", "Chloé", "Dario", "Eun-ji", "Farid", "Grete", "Hana"];
const LAST_NAMES: [&str; 6] = ["Keel", "Mast", "Hull", "Rudder", "Anchor", "Fender"];
const PROSE: [&str; 8] = [
    "Kept under cover and serviced each spring.",
    "One owner since new, all papers are there.",
    "The engines were rebuilt two seasons ago.",
    "Ready to cruise; a trial on the water is welcome.",
    "New upholstery, new electronics, old charm.",
    "Sleeps four in comfort, six among friends.",
    "Fresh antifouling, and a survey from this year.",
    "Sold with its berth until the end of the season.",
];

/// What is loaded. Each kind is one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    User,
    Listing,
    Engine,
    Moderation,
    Ticket,
    Notification,
}

impl Kind {
    pub const ALL: [Kind; 6] =
        [Kind::User, Kind::Listing, Kind::Engine, Kind::Moderation, Kind::Ticket, Kind::Notification];

    pub fn table(self) -> &'static str {
        match self {
            Kind::User => "harborlist-users",
            Kind::Listing => "harborlist-listings",
            Kind::Engine => "harborlist-engines",
            Kind::Moderation => "harborlist-moderation-queue",
            Kind::Ticket => "harborlist-support-tickets",
            Kind::Notification => "harborlist-notifications",
        }
    }

    /// How many there are beside so many listings.
    pub fn count(self, listings: u64) -> u64 {
        match self {
            Kind::Listing => listings,
            Kind::User => listings / LISTINGS_PER_USER,
            Kind::Engine | Kind::Moderation | Kind::Notification => listings / 20,
            Kind::Ticket => listings / 50,
        }
        .max(1)
    }

    /// The number of an item, from the text of its partition key: that ends with it.
    pub fn number(id: &str) -> u64 {
        id.rsplit('-').next().and_then(|number| number.parse().ok()).expect("an id ends with its number")
    }

    /// An item in its first state or, with `changed`, after its life went on.
    pub fn item(self, number: u64, listings: u64, changed: bool) -> Finished {
        let mut random = Random::new((self as u64) << 48 ^ number.wrapping_mul(0x2545_F491_4F6C_DD1D));
        let made = FIRST_MS + random.below(SPAN_MS);
        let mut item = Item::new();
        match self {
            Kind::User => user(&mut item, &mut random, number, listings, made, changed),
            Kind::Listing => listing(&mut item, &mut random, number, listings, made, changed),
            Kind::Engine => engine(&mut item, &mut random, number, listings, made, changed),
            Kind::Moderation => moderation(&mut item, &mut random, number, listings, made, changed),
            Kind::Ticket => ticket(&mut item, &mut random, number, listings, made, changed),
            Kind::Notification => notification(&mut item, &mut random, number, listings, made, changed),
        }
        item.finish()
    }
}

fn one<T: Copy>(random: &mut Random, of: &[T]) -> T {
    of[random.below(of.len() as u64) as usize]
}

/// `2025-10-14T03:20:11.123Z` of milliseconds since 1970 within October and November 2025.
fn iso(ms: u64) -> String {
    let since = ms - FIRST_MS;
    let (day, rest) = (since / 86_400_000, since % 86_400_000);
    let (month, day) = if day < 31 { (10, day + 1) } else { (11, day - 30) };
    let (seconds, ms) = (rest / 1_000, rest % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("2025-{month}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

fn user_id(number: u64) -> String {
    format!("user-{number}")
}

fn any_user(random: &mut Random, listings: u64) -> String {
    user_id(random.below(Kind::User.count(listings)))
}

fn any_listing(random: &mut Random, listings: u64) -> String {
    format!("listing-{}", random.below(listings))
}

fn prose(random: &mut Random, sentences: u64) -> String {
    let sentences: Vec<&str> = (0..sentences).map(|_| one(random, &PROSE)).collect();
    sentences.join(" ")
}

fn user(item: &mut Item, random: &mut Random, number: u64, listings: u64, made: u64, changed: bool) {
    let (first, last) = (one(random, &FIRST_NAMES), one(random, &LAST_NAMES));
    item.s("id", user_id(number));
    item.s("email", format_args!("user{number}@example.com"));
    item.s("name", format_args!("{first} {last}"));
    let staff = random.chance(20);
    item.s("userType", if staff { "staff" } else { "customer" });
    item.s(
        "role",
        if staff { one(random, &["super_admin", "admin", "manager", "team_member"]) } else { "user" },
    );
    item.s("status", if changed { "suspended" } else { "active" });
    item.bool("emailVerified", random.chance(900));
    item.s("createdAt", iso(made));
    item.s("updatedAt", iso(made + random.below(1_000_000)));
    item.n("loginCount", random.below(500));
    if staff {
        item.raw("permissions", list(["moderation", "users"].iter().map(string)));
        item.n("sessionTimeout", 480);
        item.raw(
            "metadata",
            format_args!(r#"{{"M":{{"createdBy":{{"S":"user-0"}},"createdAt":{{"S":"{}"}}}}}}"#, iso(made)),
        );
        return;
    }
    item.null("lastLoginAt");
    let tier = one(random, &["individual", "dealer", "premium"]);
    item.s("customerType", tier);
    item.s("tier", tier);
    if random.chance(150) {
        item.s("parentDealerId", any_user(random, listings / 20));
        item.bool("isDealerSubAccount", true);
        item.s("dealerAccountRole", one(random, &["admin", "manager", "staff"]));
        item.raw(
            "accessScope",
            r#"{"M":{"listings":{"S":"all"},"leads":{"BOOL":true},"pricing":{"BOOL":false}}}"#,
        );
    }
    if tier == "premium" {
        item.s("premiumActive", if changed { "false" } else { "true" });
        item.n("premiumExpiresAt", made + 31_536_000_000);
        item.s("premiumPlan", "premium-individual");
    }
}

fn listing(item: &mut Item, random: &mut Random, number: u64, listings: u64, made: u64, changed: bool) {
    let (city, state, latitude, longitude) = one(random, &STATES);
    let (boat, maker, condition) = (one(random, &BOATS), one(random, &MAKERS), one(random, &CONDITIONS));
    let (length, year) = (16 + random.below(80), 1960 + random.below(66));
    item.s("listingId", format_args!("listing-{number}"));
    item.s("ownerId", any_user(random, listings));
    item.s("title", format_args!("{year} {maker} {length} ft {boat}"));
    item.s("description", prose(random, 1 + number % 8));
    item.s("slug", format_args!("{year}-{length}-ft-{state}-{number}"));
    item.n("price", 1_000 + random.below(900_000));
    item.raw("location", format_args!(
        r#"{{"M":{{"city":{{"S":"{city}"}},"state":{{"S":"{state}"}},"zipCode":{{"S":"{:05}"}},"coordinates":{{"M":{{"lat":{{"N":"{latitude}"}},"lon":{{"N":"{longitude}"}}}}}}}}}}"#,
        random.below(99_999)
    ));
    item.raw("boatDetails", format_args!(
        r#"{{"M":{{"type":{{"S":"{boat}"}},"manufacturer":{{"S":"{maker}"}},"year":{{"N":"{year}"}},"length":{{"N":"{length}"}},"beam":{{"N":"{}.5"}},"condition":{{"S":"{condition}"}}}}}}"#,
        6 + random.below(12)
    ));
    // Boats without an engine are not in the indexes of engines.
    if boat != "Sailboat" {
        let count = random.below(4);
        item.n("totalHorsepower", (1 + random.below(40)) * 50 * (count + 1));
        item.s("engineConfiguration", ENGINE_COUNTS[count as usize]);
    }
    item.raw("features", list(FEATURES.iter().filter(|_| random.chance(300)).map(string)));
    let pictures = random.below(5);
    let picture = |at| string(format_args!("http://localhost:4566/harborlist-media-local/{number}/{at}"));
    item.raw("images", list((0..pictures).map(picture)));
    item.raw("videos", r#"{"L":[]}"#);
    let status = one(random, &LISTING_STATUS);
    item.s("status", if changed { "sold" } else { status });
    item.raw("moderationWorkflow", format_args!(
        r#"{{"M":{{"status":{{"S":"{status}"}},"submissionType":{{"S":"initial"}},"previousReviewCount":{{"N":"{}"}}}}}}"#,
        random.below(4)
    ));
    if changed {
        item.raw("priceHistory", format_args!(
            r#"{{"L":[{{"M":{{"price":{{"N":"1000"}},"changedAt":{{"N":"{made}"}},"reason":{{"S":"sold"}}}}}}]}}"#
        ));
    }
    item.n("views", random.below(10_000));
    item.n("createdAt", made);
    item.n("updatedAt", made + u64::from(changed));
}

fn engine(item: &mut Item, random: &mut Random, number: u64, listings: u64, made: u64, changed: bool) {
    item.s("engineId", format_args!("engine-{number}"));
    item.s("id", format_args!("engine-{number}"));
    item.s("listingId", any_listing(random, listings / 20));
    item.s("type", one(random, &["outboard", "inboard", "sterndrive", "jet", "electric", "hybrid"]));
    item.n("horsepower", (1 + random.below(40)) * 10);
    item.s("fuelType", one(random, &["gasoline", "diesel", "electric", "hybrid"]));
    item.n("hours", random.below(4_000) + u64::from(changed));
    item.s("condition", one(random, &["excellent", "good", "fair", "needs_work"]));
    item.n("position", 1 + random.below(4));
    item.n("createdAt", made);
}

fn moderation(item: &mut Item, random: &mut Random, number: u64, listings: u64, made: u64, changed: bool) {
    item.s("id", format_args!("queue-{number}"));
    item.s("queueId", format_args!("queue-{number}"));
    item.s("listingId", any_listing(random, listings));
    item.s("submittedBy", any_user(random, listings));
    item.raw("flags", r#"{"L":[]}"#);
    item.bool("escalated", random.chance(50));
    // One in fifty is such as a wrong key makes it: without what puts it into the indexes.
    if !random.chance(20) {
        item.s("priority", one(random, &["low", "medium", "medium", "high", "urgent"]));
        item.n("submittedAt", made / 1_000 * 1_000);
    }
    let status = one(random, &["pending", "pending", "in_review", "approved", "changes_requested"]);
    item.s("status", if changed { "approved" } else { status });
    if changed {
        item.raw(
            "moderationNotes",
            r#"{"M":{"decision":{"S":"approve"},"confidence":{"N":"0.9"},"reviewerId":{"S":"user-0"}}}"#,
        );
    }
    item.n("createdAt", made);
}

fn ticket(item: &mut Item, random: &mut Random, number: u64, listings: u64, made: u64, changed: bool) {
    item.s("id", format_args!("ticket-{number}"));
    item.n("createdAt", made / 1_000);
    item.s("userId", any_user(random, listings / 20));
    item.s("subject", prose(random, 1));
    let status = one(random, &["open", "open", "in_progress", "waiting_response", "resolved"]);
    item.s("status", if changed { "closed" } else { status });
    item.s("priority", one(random, &["low", "medium", "high", "urgent"]));
    item.s("category", one(random, &["technical", "billing", "account", "listing", "general"]));
    item.raw("tags", list(["boat", "payment"].iter().map(string)));
}

fn notification(item: &mut Item, random: &mut Random, number: u64, listings: u64, made: u64, changed: bool) {
    item.s("notificationId", format_args!("notification-{number}"));
    item.n("createdAt", made);
    item.s("userId", any_user(random, listings / 20));
    item.s("type", one(random, &["listing_approved", "listing_inquiry", "listing_offer", "message"]));
    item.s("title", "Your listing");
    item.s("message", prose(random, 2));
    item.s("status", if changed { "read" } else { one(random, &["unread", "unread", "read", "archived"]) });
    item.raw("data", format_args!(r#"{{"M":{{"listingId":{{"S":"{}"}}}}}}"#, any_listing(random, listings)));
    item.n("ttl", made / 1_000 + 7_776_000);
}
