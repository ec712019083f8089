# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a CSV file of the consoles of a bench: one line for what the program has
# measured in all drivers. Fails when there is none, or a driver lacks a row.

BEGIN {
	FS = OFS = ","
	print "kernel", "what", "tce", "levels", "window", "groups", "regions", "pages",
		"threads", "containers", "floor", "stock", "ours", "ours_on_kernel_tables"
}
{ sub(/\r$/, "") }
/^guest: begin / { sub(/^guest: begin /, ""); which = $0; next }
/^guest: end / { which = ""; next }
which == "" || !/^(row|skip),/ || NF != 11 { next }
{
	key = $2 OFS $3 OFS $4 OFS $5 OFS $6 OFS $7 OFS $8 OFS $9 OFS $10
	if (which == "stock")
		order[++rows] = key
	value[which, key] = $1 == "skip" ? "skipped: " $11 : $11
}
END {
	for (i = 1; i <= rows; i++) {
		key = order[i]
		if (!((("ours", key) in value) && (("ours_on_kernel_tables", key) in value)))
			exit 1
		print kernel, key, value["floor", key], value["stock", key], value["ours", key],
			value["ours_on_kernel_tables", key]
	}
	exit !rows
}
