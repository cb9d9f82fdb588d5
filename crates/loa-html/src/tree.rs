//! The tree that measuring builds: of each element its name, its place and how many children it has; no text, no values.
//!
//! It does what the trees of the real readers do, at the price that they pay, and counts that price: one step for each
//! question of the parser, and for each child that must be passed to find a place among its siblings.

use html5ever::{
    Attribute, ExpandedName, LocalName, QualName,
    interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
    tendril::StrTendril,
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
};

/// What was counted so far.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) steps: Cell<u64>,
    /// Of start tags with their attributes, and of text.
    pub(crate) bytes: Cell<u64>,
    pub(crate) depth: Cell<usize>,
    /// Names that are too long to be told apart without a table that all share.
    pub(crate) names: RefCell<HashSet<LocalName>>,
}

impl Count {
    fn step(&self, steps: usize) {
        self.steps.set(self.steps.get() + steps as u64);
    }

    fn name(&self, name: &LocalName) {
        /// As many bytes stand within an interned name itself.
        const SHORT: usize = 7;
        if name.len() > SHORT {
            self.names.borrow_mut().insert(name.clone());
        }
    }
}

/// An element, comment or document.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    place: usize,
    name: Rc<QualName>,
    /// Where a template keeps what it holds.
    contents: Option<usize>,
    is_integration_point: bool,
}

#[derive(Debug, Default)]
struct Node {
    parent: Option<usize>,
    children: Vec<usize>,
    depth: usize,
    attributes: usize,
}

/// The place that a text has among children.
const TEXT: usize = usize::MAX;

/// The tree.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: RefCell<Vec<Node>>,
    count: Rc<Count>,
    document: Handle,
}

impl Tree {
    pub(crate) fn new(count: Rc<Count>) -> Self {
        let document = Handle { place: 0, name: nameless(), contents: None, is_integration_point: false };
        Self { nodes: RefCell::new(vec![Node::default()]), count, document }
    }

    fn node(&self, name: Rc<QualName>, attributes: usize) -> Handle {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { attributes, ..Node::default() });
        Handle { place: nodes.len() - 1, name, contents: None, is_integration_point: false }
    }

    fn place_of(&self, child: NodeOrText<Handle>) -> usize {
        match child {
            NodeOrText::AppendNode(handle) => handle.place,
            NodeOrText::AppendText(text) => {
                self.count.bytes.set(self.count.bytes.get() + text.len() as u64);
                TEXT
            }
        }
    }

    fn adopt(&self, nodes: &mut [Node], parent: usize, child: usize) {
        if child != TEXT {
            let depth = nodes[parent].depth + 1;
            (nodes[child].parent, nodes[child].depth) = (Some(parent), depth);
            self.count.depth.set(self.count.depth.get().max(depth));
        }
    }

    /// Where a node stands among its siblings; found by passing those before it.
    fn index(&self, nodes: &[Node], place: usize) -> Option<(usize, usize)> {
        let parent = nodes[place].parent?;
        let index = nodes[parent].children.iter().position(|&child| child == place)?;
        self.count.step(index + 1);
        Some((parent, index))
    }

    fn detach(&self, nodes: &mut [Node], place: usize) {
        if let Some((parent, index)) = self.index(nodes, place) {
            nodes[parent].children.remove(index);
            nodes[place].parent = None;
        }
    }
}

fn nameless() -> Rc<QualName> {
    Rc::new(QualName::new(None, "".into(), "".into()))
}

impl TreeSink for Tree {
    type Handle = Handle;
    type Output = ();
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) {}
    fn parse_error(&self, _: Cow<'static, str>) {}
    fn set_quirks_mode(&self, _: QuirksMode) {}
    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_document(&self) -> Handle {
        self.document.clone()
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        self.count.step(1);
        target.name.expanded()
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        self.count.step(1);
        x.place == y.place
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        self.count.step(1 + attributes.len());
        self.count.name(&name.local);
        attributes.iter().for_each(|attribute| self.count.name(&attribute.name.local));
        let written = |attribute: &Attribute| attribute.name.local.len() + attribute.value.len() + 1;
        let bytes = name.local.len() + 2 + attributes.iter().map(written).sum::<usize>();
        self.count.bytes.set(self.count.bytes.get() + bytes as u64);
        let contents = flags.template.then(|| self.node(nameless(), 0).place);
        let is_integration_point = flags.mathml_annotation_xml_integration_point;
        Handle { contents, is_integration_point, ..self.node(Rc::new(name), attributes.len()) }
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        self.node(nameless(), 0)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        self.node(nameless(), 0)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.count.step(1);
        let child = self.place_of(child);
        let nodes = &mut *self.nodes.borrow_mut();
        // texts beside each other are one
        if child == TEXT && nodes[parent.place].children.last() == Some(&TEXT) {
            return;
        }
        self.adopt(nodes, parent.place, child);
        nodes[parent.place].children.push(child);
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let child = self.place_of(child);
        let nodes = &mut *self.nodes.borrow_mut();
        let Some((parent, index)) = self.index(nodes, sibling.place) else { return };
        if child == TEXT && index > 0 && nodes[parent].children[index - 1] == TEXT {
            return;
        }
        if child != TEXT {
            self.detach(nodes, child);
        }
        let index = index.min(nodes[parent].children.len());
        self.adopt(nodes, parent, child);
        nodes[parent].children.insert(index, child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        let has_parent = self.nodes.borrow()[element.place].parent.is_some();
        if has_parent { self.append_before_sibling(element, child) } else { self.append(previous, child) }
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        Handle { place: target.contents.unwrap_or(target.place), contents: None, ..self.document.clone() }
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        let node = &mut self.nodes.borrow_mut()[target.place];
        // whether they are missing is not looked at: rather too many
        node.attributes += attributes.len();
        self.count.step(node.attributes);
        attributes.iter().for_each(|attribute| self.count.name(&attribute.name.local));
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.detach(&mut self.nodes.borrow_mut(), target.place);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let nodes = &mut *self.nodes.borrow_mut();
        let moved = std::mem::take(&mut nodes[node.place].children);
        self.count.step(moved.len());
        for &child in &moved {
            self.adopt(nodes, new_parent.place, child);
        }
        nodes[new_parent.place].children.extend(moved);
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Handle) -> bool {
        target.is_integration_point
    }
}
