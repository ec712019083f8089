# SPDX-License-Identifier: GPL-2.0-only
#
# Draws a bench's figures: gnuplot -e "csv='build/bench-7.2.csv'" plot.gp >bench.svg

set terminal svg size 960,480 font "sans-serif,13" background "white"
set multiplot layout 1,2
set logscale xy
set grid ytics
set xlabel "pages per call"
set xtics ("1" 1, "16" 16, "256" 256, "4096" 4096, "16384" 16384) rotate by -45
set ylabel "guest instructions per page"
set format y "%.0f"
set xrange [0.8:20000]
set yrange [40:200000]
set key top right samplen 2

rows(what, regions, column) = sprintf( \
	"< awk -F, '$2 == \"%s\" && $3 == \"4K\" && $4 == 1 && $6 == 1 && $7 == %d { print $8, $%d }' %s", \
	what, regions, column, csv)

do for [what in "map unmap"] {
	set title (what eq "map" ? "MAP\\_DMA" : "UNMAP\\_DMA")
	plot rows(what, 256, 12) with linespoints lw 2 pt 7 ps 0.5 lc rgb "#b2182b" title "stock, 256 regions", \
	     rows(what, 64, 12) with linespoints lw 2 pt 7 ps 0.5 lc rgb "#ef8a62" title "stock, 64 regions", \
	     rows(what, 1, 12) with linespoints lw 2 pt 7 ps 0.5 lc rgb "#f7b799" title "stock, 1 region", \
	     rows(what, 256, 13) with linespoints lw 2 pt 5 ps 0.5 lc rgb "#2166ac" title "ours, 256 regions", \
	     rows(what, 1, 13) with linespoints lw 2 dt 2 pt 5 ps 0.5 lc rgb "#67a9cf" title "ours, 1 region", \
	     rows(what, 1, 11) with lines lw 2 dt 3 lc rgb "#444444" title "floor"
}
unset multiplot
