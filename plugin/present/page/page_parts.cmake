# page_parts.cmake - how do report.css and report.js get into the plugin? As bytes in a C file: cmake -DFOLDER=... -DOUTPUT=... -P
#
# SPDX-License-Identifier: GPL-2.0-or-later
function(append_part name file)
    file(READ "${FOLDER}/${file}" bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(APPEND PARTS "const unsigned char ${name}[] = { ${bytes} };\nconst size_t ${name}_length = sizeof ${name};\n")
    set(PARTS "${PARTS}" PARENT_SCOPE)
endfunction()

set(PARTS "/* Made from report.css and report.js. SPDX-License-Identifier: GPL-2.0-or-later */\n#include \"present/page/page_parts.h\"\n")
append_part(page_style report.css)
append_part(page_script report.js)
file(WRITE "${OUTPUT}" "${PARTS}")
