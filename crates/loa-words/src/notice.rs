//! What readers are told on a page when something is not as they expected, or was done.

/// One thing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// What was typed is not an address that mail can be sent to.
    NotAnEmail,
    /// No frequency was chosen.
    NoFrequency,
    /// A chosen area is not in the directory any more.
    NoSuchArea,
    /// A chosen category cannot be one.
    NoSuchCategory,
    /// More areas and categories than one subscription takes.
    TooManyChosen,
    /// Heading: the confirmation was not sent.
    ConfirmationNotSent,
    /// Why, and what to do.
    MailServerBusy,
    /// More mails were asked for than people ask for.
    AskedTooOften,
    /// Heading: the link leads nowhere.
    DeadLink,
    /// What to do then.
    DeadLinkHelp,
    /// The subscription has ended.
    Unsubscribed,
    /// The ledger is away.
    Busy,
    /// A fault of ours.
    Fault,
    /// Operators only: a token is asked for.
    TokenNeeded,
    /// Whoever opens the hub's address in a browser.
    HubIsForReaders,
    /// Whoever gets a test webhook.
    TestWebhook,
    /// Operators only: letters cannot be shown while somebody goes through them.
    LettersGoneThrough,
}

impl Notice {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::NotAnEmail,
        Self::NoFrequency,
        Self::NoSuchArea,
        Self::NoSuchCategory,
        Self::TooManyChosen,
        Self::ConfirmationNotSent,
        Self::MailServerBusy,
        Self::AskedTooOften,
        Self::DeadLink,
        Self::DeadLinkHelp,
        Self::Unsubscribed,
        Self::Busy,
        Self::Fault,
        Self::TokenNeeded,
        Self::HubIsForReaders,
        Self::TestWebhook,
        Self::LettersGoneThrough,
    ];
}

/// Why there is only a bare page: what was asked cannot be answered by any page of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarePage {
    /// There is nothing at this address.
    NotFound,
    /// The address takes no such request.
    OnlyToLookAt,
    /// The request did not arrive in time.
    TooSlow,
    /// What was sent is too large.
    TooLarge,
    /// A fault of ours.
    Fault,
    /// The address or what was sent cannot be read.
    Unreadable,
}

impl BarePage {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::NotFound, Self::OnlyToLookAt, Self::TooSlow, Self::TooLarge, Self::Fault, Self::Unreadable];
}
