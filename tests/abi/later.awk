# later: a header of the future out of today's: every struct that says its size gets fields at its end.
/^(typedef )?struct [a-z_]+ \{/ { sized = 0 }
/^    uint32_t size;/ { sized = 1 }
/^}/ && sized { print "    uint64_t of_later[4];"; sized = 0 }
{ print }
