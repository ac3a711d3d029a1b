# Every mutant of a C file that differs from it in one line, in an order that `seed` decides: line number, what was done,
# and the new line, with tabs between. Not all of them compile.

function remember(what, text) {
    if (text != $0)
        found[++count] = NR "\t" what "\t" text
}

# Each place where the pattern stands, replaced. `&` stands for nothing.
function swap(what, pattern, by,    at, before, rest) {
    before = ""
    rest = $0
    while (match(rest, pattern)) {
        at = RSTART
        remember(what, before substr(rest, 1, at - 1) by substr(rest, at + RLENGTH))
        before = before substr(rest, 1, at + RLENGTH - 1)
        rest = substr(rest, at + RLENGTH)
    }
}

# One of a family of names becomes another.
function swap_names(family,    n, name, i, other) {
    n = split(family, name, " ")
    for (i = 1; i <= n; i++) {
        if (!match($0, "(^|[^A-Za-z0-9_])" name[i] "([^A-Za-z0-9_]|$)"))
            continue
        other = name[i % n + 1]
        at = index($0, name[i])
        while (at > 0 && (substr($0, at - 1, 1) ~ /[A-Za-z0-9_]/ || substr($0, at + length(name[i]), 1) ~ /[A-Za-z0-9_]/)) {
            next_at = index(substr($0, at + 1), name[i])
            at = next_at ? at + next_at : 0
        }
        if (at > 0)
            remember("another name", substr($0, 1, at - 1) other substr($0, at + length(name[i])))
    }
}

# Code only: what stands in braces, and tables.
/^(\/\*| \*|#|$|[{}])/ || /^ *[{}];?$/ || /^ *\/\*.*\*\/$/ { next }

{
    if ($0 ~ /^    .*;$/)
        remember("deleted", "")
    swap("another operator", " == ", " != ")
    swap("another operator", " != ", " == ")
    swap("another operator", " < ", " <= ")
    swap("another operator", " < ", " > ")
    swap("another operator", " && ", " || ")
    swap("another operator", " [|][|] ", " \\&\\& ")
    swap("another operator", " [+] 1", "")
    swap("another operator", "[+][+]", "--")
    swap("another operator", "!", "")
    swap("another constant", "-1", "0")
    swap("another constant", " 0", " 1")
    swap("another constant", " 1", " 2")
    swap("another constant", " = 0", " = 7")
    swap("another constant", "1[.]", "2.")
    swap("another constant", "sizeof[(]", "1 + sizeof(")
    swap("another constant", "sizeof[(]", "0 * sizeof(")
    swap("nothing", "&[a-z]+", "NULL")
    swap("nothing", "= read->[a-z>-]+", "= {0}")
    swap("another text", "\"[^\"]+\"", "\"\"")
    swap("another text", "[a-z0-9]\"", "x\"")
    if (match($0, /(if|while) \(.*\)$/)) {
        at = index($0, "(")
        remember("turned round", substr($0, 1, at) "!(" substr($0, at + 1, length($0) - at - 1) "))")
        remember("always", substr($0, 1, at) "1)")
        remember("never", substr($0, 1, at) "0)")
    }
    if ($0 ~ /^ *[.][a-z_]+ = .*,$/)
        remember("deleted", "")
    if ($0 ~ /^ *[a-z>-]+\(.*;$/)
        remember("twice", $0 " " $0)
    if ($0 ~ /^ *return .*;$/) {
        text = $0
        sub(/return .*;/, "return 0;", text)
        remember("another result", text)
        sub(/return .*;/, "return -1;", text)
        remember("another result", text)
        sub(/return .*;/, "return 1;", text)
        remember("another result", text)
    }
    swap_names("KOINE_DONE KOINE_MORE")
    swap_names("KOINE_PROTOCOL KOINE_DONE KOINE_NO_MEMORY KOINE_INVALID KOINE_UNSUPPORTED")
    swap_names("KOINE_FRAME_WHOLE KOINE_FRAME_END KOINE_FRAME_LINE KOINE_FRAME_SSE")
    swap_names("KOINE_EMIT_START KOINE_EMIT_TEXT KOINE_EMIT_USAGE KOINE_EMIT_STOP KOINE_EMIT_MODEL KOINE_EMIT_REFUSAL")
    swap_names("KOINE_NODE_ARRAY KOINE_NODE_OBJECT KOINE_NODE_STRING")
    swap_names("KOINE_PRICE_FREE KOINE_PRICE_KNOWN KOINE_PRICE_UNKNOWN")
    swap_names("KOINE_STOP_END KOINE_STOP_LENGTH")
    swap_names("generate_request models_request")
    swap_names("generate_frame models_frame")
    swap_names("read_document read_model")
    swap_names("start text")
    swap_names("usage end")
    swap_names("text word")
    swap_names("key name")
    swap_names("id name owner")
    swap_names("open close")
    swap_names("size kind index")
}

# The generator of Park and Miller: every awk can multiply these without losing a digit.
function next_number() {
    state = state * 16807 % 2147483647
    return state
}

END {
    state = seed * 7919 % 2147483646 + 1
    for (i = 0; i < 10; i++)
        next_number()
    for (i = count; i > 1; i--) {
        j = next_number() % i + 1
        text = found[i]
        found[i] = found[j]
        found[j] = text
    }
    for (i = 1; i <= count; i++)
        print found[i]
}
