# Flattens JSON into lines "path value" (path elements joined by dots, blanks in names as _); \n inside strings stays the two characters \n.
function fail() { bad = 1; exit 1 }
function blank() { while (i <= n && index(" \t\r\n", substr(s, i, 1))) i++ }
function str(  r, k, c, e) {
  i++; r = ""
  while (i <= n) {
    k = match(substr(s, i), /["\\]/); if (!k) fail()
    r = r substr(s, i, k - 1); i += k - 1; c = substr(s, i, 1); i++
    if (c == "\"") return r
    e = substr(s, i, 1); i++
    if (e == "n") r = r "\\n"; else if (e == "t") r = r "\t"; else if (e == "u") { r = r code(substr(s, i, 4)); i += 4 } else if (e != "r") r = r e
  }
  fail()
}
function code(h,  v, j) { v = 0; for (j = 1; j <= 4; j++) v = v * 16 + index("0123456789abcdef", tolower(substr(h, j, 1))) - 1; return v < 128 ? sprintf("%c", v) : "?" }
function val(path,  c, k, j) {
  blank(); c = substr(s, i, 1)
  if (c == "{") {
    i++; blank(); if (substr(s, i, 1) == "}") { i++; return }
    while (1) {
      blank(); if (substr(s, i, 1) != "\"") fail()
      k = str(); gsub(/[ \t]/, "_", k); blank(); if (substr(s, i, 1) != ":") fail(); i++
      val(path == "" ? k : path "." k); blank(); c = substr(s, i, 1); i++
      if (c == "}") return; if (c != ",") fail()
    }
  } else if (c == "[") {
    i++; blank(); if (substr(s, i, 1) == "]") { i++; return }
    for (j = 0; ; j++) { val(path "." j); blank(); c = substr(s, i, 1); i++; if (c == "]") return; if (c != ",") fail() }
  } else if (c == "\"") print path " " str()
  else { if (!match(substr(s, i), /^[-+.0-9A-Za-z]+/)) fail(); print path " " substr(s, i, RLENGTH); i += RLENGTH }
}
{ s = s $0 "\n" }
END { if (bad) exit 1; n = length(s); i = 1; val(""); }
