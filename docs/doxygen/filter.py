#!/usr/bin/env python3
"""What Doxygen reads in the place of a header or a document, so that these may be written for people.

alterrec.h: a comment before a declaration, or behind one on its line, documents it; one comment serves
declarations that follow each other without an empty line. A numbered banner begins a group. "Statuses:",
"Since" and the paper's sections become headings.
alterrec.hpp: a function without a comment gets the name of the C function that it calls, whose comment
says all. Of namespace detail only the classes that public ones are made of are shown.
*.md: links to what is no page of the reference become plain text.

    filter.py FILE
"""

import pathlib
import re
import sys

INTERNAL = re.compile(r"#define ALTERREC_(API|ALTERREC_H(PP)?|HPP_EXCEPTIONS)\b")
FREE = "Frees the handle; NULL is accepted."


def headings(text):
    """A comment's text, its fixed phrases made headings of Doxygen's."""
    end = ""
    for section in re.findall(r"Section \d[\d.]*\d\.", text):
        text = text.replace(section, "")
        end += f"\n\\par In the paper\n{section}\n"
    since = re.search(r"Since (\d+\.\d+)\.", text)
    if since:
        text = text.replace(since[0], "")
        end += f"\n\\since {since[1]}\n"
    text = re.sub(r"\bAny thread\.\s*$", r"\n\n\\par Threads\nAny thread.\n", text.rstrip())
    text = re.sub(r"\bStatuses: ", r"\n\n\\par Statuses\n", text).strip()
    return (text or FREE) + "\n" + end


def comment(lines, i):
    """The text of the comment that begins in line i, and the line behind it."""
    text = lines[i][lines[i].index("/*") + 2:]
    while "*/" not in text:
        i += 1
        text += "\n" + re.sub(r"^\s*\* ?(?!/)", "", lines[i])
    text = text[:text.index("*/")].replace(".*", ".\\*")  # or a sentence ends there
    text = re.sub(r"<(?=\w+>:)", r"\\<", text)  # <text>:line is no element of HTML
    return text.strip("\n -"), i + 1


def trailing(lines, i):
    """Line i with the comment behind its code made a document of it, and the line behind that."""
    text, end = comment(lines, i)
    return f"{lines[i][:lines[i].index('/*')]}/**< {text.strip()} */", end


def banner(text, number, opened):
    title, _, rest = text.strip().partition("\n")
    title = title.split(". ", 1)[1]
    return ("/** @} */\n" if opened else "") + f"/** \\defgroup part{number} {title}\n{rest}\n@{{ */"


def c_header(lines):
    names = "|".join(re.findall(r"^ALTERREC_API.*?\b(alterrec_\w+)\(", "\n".join(lines), re.M | re.S))
    lines = [re.sub(rf"^( \*|/\*)(.*)", lambda m: m[1] + re.sub(rf"\b({names})\b(?!\()", r"\1()", m[2]), x)
             for x in lines]
    pending, groups, i = None, 0, 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("/* ----"):
            text, i = comment(lines, i)
            groups += 1
            yield banner(text, groups, groups > 1)
        elif line.startswith("/*"):
            text, i = comment(lines, i)
            if "#ifndef" in lines[i]:
                yield f"/** \\file\n{text} */"
            else:
                pending = headings(text)
        else:
            while line.endswith("\\"):
                lines[i:i + 2] = [line := line[:-1] + lines[i + 1]]
            if not line:
                pending = None
            elif line.startswith("#ifdef __cplusplus") and groups:
                yield "/** @} */"
            if "/*" in line:
                line, i = trailing(lines, i)
            else:
                if pending and re.match(r"#define|typedef|ALTERREC_API", line):
                    yield f"/** {pending} */"
                if line.endswith(" reserved;"):
                    line += " /**< Reserved: 0. */"
                i += 1
            yield "" if INTERNAL.match(line) else line


def declaration(lines, i):
    """The declaration from line i on with its body, and the line behind it. Of a class or a namespace,
    which hold others, no more than its head."""
    text = ""
    while i < len(lines):
        text += ("\n" if text else "") + lines[i]
        i += 1
        code = re.sub(r"/\*.*?\*/", "", text, flags=re.S).rstrip()
        if re.match(r"\s*(template <.*>\s*)?(class|struct|namespace) [^;{]*{$", code, re.S):
            break
        if code.count("{") == code.count("}") and code.endswith((";", "}")):
            break
    return text, i


def cxx_header(lines):
    own, shared, detail, shown, i = "", "", False, False, 0
    while i < len(lines):
        code = lines[i].strip()
        if code.startswith("/*"):
            text, i = comment(lines, i)
            if "#ifndef" in lines[i]:
                yield f"/** \\file\n{text} */"
            elif not code.startswith("/* ----"):
                own = shared = text
            continue
        if detail and not shown and re.search(r"class (owner|borrower|\w+_reader)\b", code):
            yield "/** \\endcond */"
            shown = True
        if not code or re.match(r"#|[{}]|(public|private):|using [\w:]+;|extern", code):
            if code == "} // namespace detail":
                yield "" if shown else "/** \\endcond */"
                detail = shown = False
            if not code:
                own = shared = ""
            yield "" if INTERNAL.match(code) else lines[i]
            i += 1
            if shown and lines[i - 1] == "};":
                yield "/** \\cond */"
                shown = False
            continue
        text, i = declaration(lines, i)
        if text == "namespace detail {":
            yield text + "\n/** \\cond */"
            detail = True
            continue
        calls = re.findall(r"\balterrec_(?!last_error)[a-z_]+(?=\()|(?<=with_text\()alterrec_[a-z_]+",
                           text)
        says = (own or shared * (not calls)) + (f"\n\nCalls {calls[0]}()." if calls else "")
        if says and "; /*" not in re.sub(r"\s+", " ", text):
            yield f"/** {says} */"
        yield re.sub(r";(\s*)/\* ", r";\1/**< ", text)
        own = ""
        if text.endswith("{"):
            shared = ""


def page(text):
    """A document without links to what is not in the reference, and to places within pages."""
    text = re.sub(r"\A<!--.*?-->\n", "", text, flags=re.S)  # or the page is without a title
    text = re.sub(r"@(?=[kK]\b)", "@@", text)  # Hits@K is no command
    text = re.sub(r"\]\(pictures/", "](", text)  # Doxygen finds them by IMAGE_PATH
    text = re.sub(r"(\]\([\w./-]+\.md)#[\w-]+\)", r"\1)", text)
    return re.sub(r"(?<!!)\[([^\]]*)\]\((?![a-z_-]+\.md\)|https?:)[^)]*\)", r"\1", text)


def main():
    path = pathlib.Path(sys.argv[1])
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        text = page(text)
    else:
        lines = text.split("\n")
        text = "\n".join(cxx_header(lines) if path.suffix == ".hpp" else c_header(lines))
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
