//! The data of all four: small, connected, and always the same.

/// A person.
#[derive(Debug, Clone, Copy)]
pub struct UserRow {
    /// The key.
    pub id: &'static str,
    /// The name that others see.
    pub name: &'static str,
    /// The name to sign in with.
    pub username: &'static str,
    /// The day of birth, in seconds since 1970.
    pub birthday: i32,
}

/// A thing to buy.
#[derive(Debug, Clone, Copy)]
pub struct ProductRow {
    /// The key.
    pub upc: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What it costs.
    pub price: i32,
    /// What it weighs.
    pub weight: i32,
    /// Whether there is one to send.
    pub in_stock: bool,
}

/// What a person says about a thing.
#[derive(Debug, Clone, Copy)]
pub struct ReviewRow {
    /// The key.
    pub id: &'static str,
    /// The text.
    pub body: &'static str,
    /// The id of who wrote it.
    pub author: &'static str,
    /// The upc of what it is about.
    pub product: &'static str,
}

/// All people.
pub const USERS: [UserRow; 6] = [
    user("1", "Ada Lindqvist", "ada", 631_152_000),
    user("2", "Bruno Okafor", "bruno", 662_688_000),
    user("3", "Chiara Novak", "chiara", 694_224_000),
    user("4", "Dmitri Sato", "dmitri", 725_846_400),
    user("5", "Elif Moreau", "elif", 757_382_400),
    user("6", "Farid Jensen", "farid", 788_918_400),
];

/// All products, the best sold first.
pub const PRODUCTS: [ProductRow; 9] = [
    product("1", "Desk", (899, 100), true),
    product("2", "Bench", (1299, 1000), false),
    product("3", "Bottle", (54, 50), false),
    product("4", "Armchair", (699, 400), true),
    product("5", "Bookcase", (1199, 1500), true),
    product("6", "Lantern", (89, 70), false),
    product("7", "Wardrobe", (2499, 3100), true),
    product("8", "Piano", (99_999, 9000), false),
    product("9", "Carpet", (349, 600), true),
];

/// All reviews.
pub const REVIEWS: [ReviewRow; 11] = [
    review("1", "Solid as a rock.", "1", "1"),
    review("2", "Costs more than it should.", "1", "2"),
    review("3", "It could be lighter.", "1", "3"),
    review("4", "I had hoped for another colour.", "2", "1"),
    review("5", "Worth every coin.", "1", "4"),
    review("6", "Arrived with a scratch.", "2", "2"),
    review("7", "My cat likes it \"very\" much.", "1", "1"),
    review("8", "Does what it says.", "3", "5"),
    review("9", "Would buy it again.", "1", "3"),
    review("10", "The screws were missing.", "2", "4"),
    review("11", "Schöner als erwartet.", "1", "2"),
];

const fn user(id: &'static str, name: &'static str, username: &'static str, birthday: i32) -> UserRow {
    UserRow { id, name, username, birthday }
}

const fn product(
    upc: &'static str,
    name: &'static str,
    (price, weight): (i32, i32),
    in_stock: bool,
) -> ProductRow {
    ProductRow { upc, name, price, weight, in_stock }
}

const fn review(
    id: &'static str,
    body: &'static str,
    author: &'static str,
    product: &'static str,
) -> ReviewRow {
    ReviewRow { id, body, author, product }
}

/// What sending a product costs: nothing for what is dear, by weight for the rest.
pub const fn shipping_estimate(price: i32, weight: i32) -> i32 {
    if price > 1000 { 0 } else { weight / 2 }
}

impl UserRow {
    /// The person of this id.
    pub fn with_id(id: &str) -> Option<&'static Self> {
        USERS.iter().find(|user| user.id == id)
    }

    /// What this person wrote.
    pub fn reviews(id: &str) -> impl Iterator<Item = &'static ReviewRow> {
        REVIEWS.iter().filter(move |review| review.author == id)
    }
}

impl ProductRow {
    /// The product of this upc.
    pub fn with_upc(upc: &str) -> Option<&'static Self> {
        PRODUCTS.iter().find(|product| product.upc == upc)
    }

    /// What is said about it.
    pub fn reviews(upc: &str) -> impl Iterator<Item = &'static ReviewRow> {
        REVIEWS.iter().filter(move |review| review.product == upc)
    }
}

impl ReviewRow {
    /// The review of this id.
    pub fn with_id(id: &str) -> Option<&'static Self> {
        REVIEWS.iter().find(|review| review.id == id)
    }
}
