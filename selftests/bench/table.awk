# SPDX-License-Identifier: GPL-2.0-only
#
# Makes tables of a bench's figures: those of Documentation/performance.rst. With -v one_page=1 only of
# what is a single call for one page, or for none.

BEGIN {
	FS = ","
	title["map"] = "``MAP_DMA``, instructions per page"
	title["unmap"] = "``UNMAP_DMA``, instructions per page"
	title["map_traced"] = "``MAP_DMA`` while its event is traced, instructions"
	title["unmap_traced"] = "``UNMAP_DMA`` while its event is traced, instructions"
	title["nothing"] = "An ioctl that the driver does not know, instructions"
	title["close"] = "Closing a container, instructions"
	title["remove"] = "``TCE_REMOVE``, instructions"
	title["memory"] = "What a window holds in which nothing was mapped yet, KiB"
	title["attach"] = "Taking a group into a container (``SET_CONTAINER``, with the first one ``SET_IOMMU``), " \
		"instructions"
	title["detach"] = "Taking a group out of it (``UNSET_CONTAINER``), instructions"
	title["register"] = "``REGISTER_MEMORY`` of 1 GiB that was touched before, instructions"
	title["unregister"] = "``UNREGISTER_MEMORY`` of it, instructions"
	title["put"] = "A guest of KVM maps (``H_PUT_TCE``; many pages: ``H_PUT_TCE_INDIRECT``), " \
		"instructions per page"
	title["clear"] = "A guest of KVM unmaps (``H_PUT_TCE``; many pages: ``H_STUFF_TCE``), " \
		"instructions per page"
	title["threads"] = "Threads with a CPU each, instructions of time for a map and an unmap"
	title["scale"] = "Calls of two threads over those of one in the same time"
	title["type1_map"] = "Type 1: ``MAP_DMA``, instructions per page of the kernel's size; TCEs: the pages of the " \
		"memory; floor: pinning alone"
	title["type1_unmap"] = "Type 1: ``UNMAP_DMA``, the same; floor: unpinning alone"
	title["type1_map_thp"] = "Type 1: ``MAP_DMA`` of transparent huge pages"
	title["type1_unmap_thp"] = "Type 1: ``UNMAP_DMA`` of these"
	title["type1_many"] = "Type 1: the last of so many mappings of a page: ``MAP_DMA`` and ``UNMAP_DMA``, " \
		"instructions"
	title["type1_close"] = "Type 1: closing a container with so many pages mapped, instructions per page"
	keys = 8
	columns = split("TCEs,levels,window,groups,regions,pages,threads,containers," \
			"floor,stock,ours,/ stock,/ floor,kernel's,/ stock", head, ",")
}

NR == 1 { next }
one_page && !($2 ~ /^(nothing|(un)?map(_traced)?)$/ && $8 <= 1) { next }
!($2 in rows) { order[++tables] = $2 }
{
	row = ++rows[$2]
	for (i = 1; i <= keys; i++)
		put(i, i == 6 ? number($8) : $(i + 2) == "" ? "-" : $(i + 2))
	put(9, number($11))
	put(10, number($12))
	put(11, number($13))
	put(12, quotient($13, $12, "%.3f"))
	put(13, quotient($13, $11, "%.2f"))
	put(14, number($14))
	put(15, quotient($14, $12, "%.3f"))
	if ($13 ~ /^skipped: /) {
		note = sprintf("\nSkipped: %s TCEs, levels: %s, window of %s: %s.\n", $3, $4, $5,
			substr($13, length("skipped: ") + 1))
		if (!index(notes[$2], note))
			notes[$2] = notes[$2] note
	}
}
END {
	for (t = 1; t <= tables; t++)
		print_table(order[t])
}

function put(column, text) {
	if (text ~ /^skipped: /)
		text = "skipped"
	cell[$2, row, column] = text
}

function print_table(what, row, i) {
	print (t > 1 ? "\n" : "") title[what] ":\n"
	for (i = 1; i <= columns; i++) {
		width[i] = 0
		for (row = 1; row <= rows[what]; row++)
			if (cell[what, row, i] != "-" && length(cell[what, row, i]) > width[i])
				width[i] = length(cell[what, row, i])
		# A column without a number is left out.
		if (width[i] && length(head[i]) > width[i])
			width[i] = length(head[i])
	}
	print_line(what, "rule")
	print_line(what, "head")
	print_line(what, "rule")
	for (row = 1; row <= rows[what]; row++)
		print_line(what, row)
	print_line(what, "rule")
	printf "%s", notes[what]
}

function print_line(what, row, i, line, text) {
	for (i = 1; i <= columns; i++) {
		if (!width[i])
			continue
		text = row == "head" ? head[i] : cell[what, row, i]
		if (row == "rule")
			text = repeat("=", width[i])
		line = line (line == "" ? "" : "  ") sprintf("%-" width[i] "s", text)
	}
	sub(/ +$/, "", line)
	print line
}

function repeat(sign, times, text) {
	while (times--)
		text = text sign
	return text
}

# With separators: 12,345,678
function number(text, digits, rest) {
	if (text == "")
		return "-"
	if (text !~ /^[0-9.]+$/)
		return text
	digits = int(text)
	rest = digits < 1000 && text ~ /[.]/ ? substr(text, index(text, ".")) : ""
	text = ""
	while (length(digits) > 3) {
		text = "," substr(digits, length(digits) - 2) text
		digits = substr(digits, 1, length(digits) - 3)
	}
	return digits text rest
}

function quotient(value, base, form) {
	if (value !~ /^[0-9.]+$/ || base !~ /^[0-9.]+$/ || base == 0)
		return "-"
	return sprintf(form, value / base)
}
