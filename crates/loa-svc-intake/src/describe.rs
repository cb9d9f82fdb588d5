//! The description (OpenAPI) of the bodies that producers send.
//!
//! `docs/schemas` describes articles and documents. The description refers to `Article` and
//! `Document`, which the binary makes from those files.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema},
};

/// The three forms in which `crate::RawContent::from_json` takes what a producer sends.
pub(crate) struct Submitted;

impl PartialSchema for Submitted {
    fn schema() -> RefOr<Schema> {
        let article = || Ref::from_schema_name("Article");
        let wrapped = |name: &str, inner: Ref| {
            ObjectBuilder::new().property(name, inner).required(name).max_properties(Some(1)).build()
        };
        OneOfBuilder::new()
            .item(article())
            .item(wrapped("article", article()))
            .item(wrapped("document", Ref::from_schema_name("Document")))
            .into()
    }
}

impl ToSchema for Submitted {}

/// Why something is withdrawn.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described only: the body is read member by member, strictly, as an event is")]
pub(crate) struct Reason {
    /// One line, for readers; null and absent are none.
    #[schema(max_length = 2000)]
    reason: Option<String>,
}
