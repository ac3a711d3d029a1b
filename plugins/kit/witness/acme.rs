// acme in Rust, without crates: what ../own/acme.c is in C, to the byte. Witness that the header needs no C.
//
//   rustc --edition 2021 --crate-type cdylib -O -C panic=abort -o acme.so acme.rs
//
// The structures are those of koine/provider.h, in its order; the name of the entry is the header's too, in a
// file that KOINE_ENTRY_FILE names while this is compiled and that holds one line, entry!("…"); with what the
// preprocessor makes of KOINE_ENTRY_NAME. Nothing but `core` is used: a translator needs no more.
#![no_std]
#![allow(non_camel_case_types)]

use core::{ffi::c_void, mem::size_of, ptr, slice};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

// ---- koine/provider.h ----

type Chars = *const u8; // const char *
macro_rules! c {
    ($text:literal) => {
        concat!($text, "\0").as_ptr()
    };
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Str {
    ptr: *const u8,
    len: usize,
}
#[repr(C)]
struct Node {
    _opaque: [u8; 0],
}

const DONE: i32 = 0;
const INVALID: i32 = -2;
const PROTOCOL: i32 = -3;
const FRAME_SSE: i32 = 1;
const FRAME_END: i32 = 3;
const NODE_ARRAY: i32 = 5;
const NODE_OBJECT: i32 = 6;
const EMIT_START: i32 = 1;
const EMIT_TEXT: i32 = 2;
const EMIT_USAGE: i32 = 6;
const EMIT_STOP: i32 = 8;
const EMIT_FAULT: i32 = 9;
const EMIT_MODEL: i32 = 10;
const STOP_END: i32 = 0;
const STOP_LENGTH: i32 = 1;
const FAULT_SERVER: i32 = 5;
const NOTICE_DROPPED: i32 = 1;

#[repr(C)]
struct Usage {
    size: u32,
    charged: i32,
    input: i64,
    cache_read: i64,
    cache_write: i64,
    output: i64,
    reasoning: i64,
    audio_input: i64,
    audio_output: i64,
    image_input: i64,
    picodollars: i64,
}
#[repr(C)]
struct ModelInfo {
    size: u32,
    id: Str,
    name: Str,
    owner: Str,
    created: i64,
    context: i64,
    max_output: i64,
}
#[repr(C)]
struct Event {
    size: u32,
    kind: i32,
    index: i32,
    code: i32,
    choice: i32,
    text: Str,
    id: Str,
    name: Str,
    usage: *const Usage,
    model: *const ModelInfo,
    retry_ms: i64,
}
#[repr(C)]
struct Frame {
    size: u32,
    kind: i32,
    clean: i32,
    http_status: i32,
    event: Str,
    text: Str,
    json: *const Node,
}
#[repr(C)]
struct Sink {
    size: u32,
    emit: extern "C" fn(*mut Sink, *const Event),
}
#[repr(C)]
struct Out {
    size: u32,
    method: extern "C" fn(*mut Out, Chars),
    path: extern "C" fn(*mut Out, Chars),
    segment: extern "C" fn(*mut Out, Str),
    query: extern "C" fn(*mut Out, Chars, Str),
    header: extern "C" fn(*mut Out, Chars, Str),
    secret: extern "C" fn(*mut Out, Chars, Chars),
    open: extern "C" fn(*mut Out, Chars, i32),
    close: extern "C" fn(*mut Out),
    str: extern "C" fn(*mut Out, Chars, Str),
    num: extern "C" fn(*mut Out, Chars, i64),
    raw: extern "C" fn(*mut Out, Chars, Str),
    node: extern "C" fn(*mut Out, Chars, *const Node),
    member: extern "C" fn(*mut Out, *const Node),
    bytes: extern "C" fn(*mut Out, Chars, Str),
    notice: extern "C" fn(*mut Out, i32, Str, Str),
    fail: extern "C" fn(*mut Out, Str),
}
#[repr(C)]
struct CostQuery {
    size: u32,
    this: *const Provider,
    host: *const Host,
}
#[repr(C)]
struct Cost {
    _opaque: [u8; 0],
}
#[repr(C)]
struct Host {
    size: u32,
    log: extern "C" fn(*const Host, i32, Str),
    extension: extern "C" fn(*const Host, Chars) -> *const c_void,
    kind: extern "C" fn(*const Node) -> i32,
    get: extern "C" fn(*const Node, Chars) -> *const Node,
    count: extern "C" fn(*const Node) -> usize,
    at: extern "C" fn(*const Node, usize) -> *const Node,
    key: extern "C" fn(*const Node, usize) -> Str,
    str: extern "C" fn(*const Node) -> Str,
    num: extern "C" fn(*const Node, i64) -> i64,
    truth: extern "C" fn(*const Node) -> i32,
    dump: extern "C" fn(*const Node) -> Str,
    pair: extern "C" fn(*const Node) -> Str,
    alloc: extern "C" fn(*const Host, usize) -> *mut c_void,
    option: extern "C" fn(*const Host, *const Provider, Chars) -> Str,
    price: extern "C" fn(*const CostQuery, *mut Cost) -> i32,
}
#[repr(C)]
struct Ask {
    size: u32,
    framing: i32,
    step: u32,
    this: *const Provider,
    host: *const Host,
    doc: *const Node,
    model: Str,
    state: *const c_void,
}
#[repr(C)]
struct Read {
    size: u32,
    step: u32,
    this: *const Provider,
    host: *const Host,
    frame: *const Frame,
    state: *mut c_void,
    model: Str,
}
#[repr(C)]
struct Exchange {
    size: u32,
    state_size: usize,
    request: extern "C" fn(*const Ask, *mut Out) -> i32,
    frame: extern "C" fn(*const Read, *mut Sink) -> i32,
}
#[repr(C)]
struct Provider {
    size: u32,
    id: Chars,
    version: Chars,
    base_url: Chars,
    key_variable: Chars,
    options: *const c_void,
    generate: *const Exchange,
    list_models: *const Exchange,
    calculate_cost: extern "C" fn(*const CostQuery, *mut Cost) -> i32,
    fault: Option<extern "C" fn(*const Read, *mut Sink) -> i32>,
    extension: Option<extern "C" fn(Chars) -> *const c_void>,
}
unsafe impl Sync for Provider {} // read only, all of it static
unsafe impl Sync for Exchange {}

// ---- What makes it pleasant ----

impl Str {
    const EMPTY: Str = Str { ptr: ptr::null(), len: 0 };
    fn of(text: &'static str) -> Str {
        Str { ptr: text.as_ptr(), len: text.len() }
    }
    fn bytes(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        unsafe { slice::from_raw_parts(self.ptr, self.len) }
    }
}

#[derive(Clone, Copy)]
struct Value<'a> {
    // of a document; it may be absent
    host: &'a Host,
    node: *const Node,
}

impl<'a> Value<'a> {
    fn get(self, key: Chars) -> Value<'a> {
        Value { host: self.host, node: (self.host.get)(self.node, key) }
    }
    fn at(self, index: usize) -> Value<'a> {
        Value { host: self.host, node: (self.host.at)(self.node, index) }
    }
    fn count(self) -> usize {
        (self.host.count)(self.node)
    }
    fn is(self, kind: i32) -> bool {
        (self.host.kind)(self.node) == kind
    }
    fn text(self) -> Str {
        (self.host.str)(self.node)
    }
    fn number(self) -> i64 {
        (self.host.num)(self.node, -1)
    }
}

fn emit(sink: *mut Sink, kind: i32, code: i32, text: Str, name: Str) {
    send(sink, &Event { kind, code, text, name, ..event() });
}

fn event() -> Event {
    Event {
        size: size_of::<Event>() as u32,
        kind: 0,
        index: -1,
        code: 0,
        choice: 0,
        text: Str::EMPTY,
        id: Str::EMPTY,
        name: Str::EMPTY,
        usage: ptr::null(),
        model: ptr::null(),
        retry_ms: -1,
    }
}

fn send(sink: *mut Sink, event: &Event) {
    unsafe { ((*sink).emit)(sink, event) }
}

struct State {
    started: u8,
    done: u8,
}

// ---- Requests ----

static KNOWN: [&str; 6] = ["koine", "model", "stream", "stream_options", "messages", "max_tokens"];

fn tell_dropped(host: &Host, ask: &Ask, to: *mut Out, out: &Out) {
    for i in 0..(host.count)(ask.doc) {
        let name = (host.key)(ask.doc, i);
        if !KNOWN.iter().any(|known| known.as_bytes() == name.bytes()) {
            (out.notice)(to, NOTICE_DROPPED, name, Str::of("acme has no such parameter"));
        }
    }
}

extern "C" fn generate_request(ask: *const Ask, to: *mut Out) -> i32 {
    let (ask, out) = unsafe { (&*ask, &*to) };
    let host = unsafe { &*ask.host };
    let doc = Value { host, node: ask.doc };
    let messages = doc.get(c!("messages"));
    if !messages.is(NODE_ARRAY) {
        (out.fail)(to, Str::of("`messages` is not an array: a list of {\"role\", \"content\"} is needed"));
        return INVALID;
    }
    (out.path)(to, c!("/answers"));
    (out.secret)(to, c!("X-ACME-Key"), c!(""));
    (out.open)(to, ptr::null(), '{' as i32);
    (out.str)(to, c!("model"), ask.model);
    (out.open)(to, c!("turns"), '[' as i32);
    for i in 0..messages.count() {
        (out.open)(to, ptr::null(), '{' as i32);
        (out.node)(to, c!("who"), messages.at(i).get(c!("role")).node);
        (out.node)(to, c!("text"), messages.at(i).get(c!("content")).node);
        (out.close)(to);
    }
    (out.close)(to);
    (out.node)(to, c!("limit"), doc.get(c!("max_tokens")).node);
    if ask.framing == FRAME_SSE {
        (out.raw)(to, c!("stream"), Str::of("true"));
    }
    (out.close)(to);
    tell_dropped(host, ask, to, out);
    DONE
}

extern "C" fn models_request(_: *const Ask, to: *mut Out) -> i32 {
    let out = unsafe { &*to };
    (out.path)(to, c!("/models"));
    (out.secret)(to, c!("X-ACME-Key"), c!(""));
    DONE
}

// ---- Answers ----

fn emit_end(root: Value, end: Str, sink: *mut Sink) {
    let usage = Usage {
        size: size_of::<Usage>() as u32,
        charged: 0,
        input: root.get(c!("in")).number(),
        cache_read: -1,
        cache_write: -1,
        output: root.get(c!("out")).number(),
        reasoning: -1,
        audio_input: -1,
        audio_output: -1,
        image_input: -1,
        picodollars: 0,
    };
    send(sink, &Event { kind: EMIT_USAGE, usage: &usage, ..event() });
    let is_cut = end.len == 6 && end.bytes().first() == Some(&b'l');
    emit(sink, EMIT_STOP, if is_cut { STOP_LENGTH } else { STOP_END }, end, Str::EMPTY);
}

fn read_answer(root: Value, state: &mut State, sink: *mut Sink) -> i32 {
    let (error, text, end) = (root.get(c!("error")).text(), root.get(c!("text")).text(), root.get(c!("end")).text());
    if !root.is(NODE_OBJECT) {
        return PROTOCOL;
    }
    state.done = (error.len + end.len > 0) as u8;
    if error.len > 0 {
        emit(sink, EMIT_FAULT, FAULT_SERVER, error, Str::EMPTY);
        return DONE;
    }
    if state.started == 0 {
        emit(sink, EMIT_START, 0, Str::EMPTY, root.get(c!("model")).text());
    }
    state.started = 1;
    if text.len > 0 {
        emit(sink, EMIT_TEXT, 0, text, Str::EMPTY);
    }
    if end.len > 0 {
        emit_end(root, end, sink);
    }
    DONE
}

extern "C" fn generate_frame(read: *const Read, sink: *mut Sink) -> i32 {
    let read = unsafe { &*read };
    let (host, frame, state) = unsafe { (&*read.host, &*read.frame, &mut *(read.state as *mut State)) };
    if state.done != 0 || frame.kind > FRAME_END {
        return DONE;
    }
    if frame.kind == FRAME_END {
        return PROTOCOL;
    }
    read_answer(Value { host, node: frame.json }, state, sink)
}

extern "C" fn models_frame(read: *const Read, sink: *mut Sink) -> i32 {
    let read = unsafe { &*read };
    let (host, frame, state) = unsafe { (&*read.host, &*read.frame, &mut *(read.state as *mut State)) };
    let list = Value { host, node: frame.json }.get(c!("models"));
    if state.done != 0 || frame.kind > FRAME_END {
        return DONE;
    }
    state.done = 1;
    if !list.is(NODE_ARRAY) {
        return PROTOCOL;
    }
    for i in 0..list.count() {
        if list.at(i).text().len == 0 {
            return PROTOCOL;
        }
        let model = ModelInfo {
            size: size_of::<ModelInfo>() as u32,
            id: list.at(i).text(),
            name: Str::EMPTY,
            owner: Str::EMPTY,
            created: -1,
            context: -1,
            max_output: -1,
        };
        send(sink, &Event { kind: EMIT_MODEL, model: &model, ..event() });
    }
    DONE
}

// ---- The table ----

extern "C" fn calculate_cost(query: *const CostQuery, ret: *mut Cost) -> i32 {
    unsafe { ((*(*query).host).price)(query, ret) }
}

static GENERATE: Exchange = Exchange {
    size: size_of::<Exchange>() as u32,
    state_size: size_of::<State>(),
    request: generate_request,
    frame: generate_frame,
};
static MODELS: Exchange = Exchange {
    size: size_of::<Exchange>() as u32,
    state_size: size_of::<State>(),
    request: models_request,
    frame: models_frame,
};
static PROVIDER: Provider = Provider {
    size: size_of::<Provider>() as u32,
    id: c!("acme"),
    version: c!("0.1.0"),
    base_url: c!("https://api.acme.example/v1"),
    key_variable: c!("ACME_API_KEY"),
    options: ptr::null(),
    generate: &GENERATE,
    list_models: &MODELS,
    calculate_cost,
    fault: None,
    extension: None,
};

macro_rules! entry {
    ($name:literal) => {
        #[export_name = $name]
        extern "C" fn entry(_: *const Host, index: u32) -> *const Provider {
            if index == 0 {
                &PROVIDER
            } else {
                ptr::null()
            }
        }
    };
}
include!(env!("KOINE_ENTRY_FILE"));
