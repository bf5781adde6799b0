-- fields.lua - what would the same input cost a script inside Wireshark? Reads what the plugin reads of IKE and ESP, and counts it.
--
-- A post-dissector that asks for fields, so that Wireshark builds whole protocol trees. It finds nothing: it is for bench.py only.
--
-- SPDX-License-Identifier: GPL-2.0-or-later
local names = { "ip.src", "ip.dst", "udp.srcport", "udp.dstport", "esp.spi", "esp.sequence", "isakmp.ispi", "isakmp.rspi",
                "isakmp.messageid", "isakmp.exchangetype", "isakmp.flags" }
local fields, seen = {}, {}
for i, name in ipairs(names) do fields[i] = Field.new(name) end

local reader = Proto("ipsecbench", "Reads the fields of IKE and ESP")
function reader.dissector(_, pinfo, _)
    local spi, sequence = fields[5](), fields[6]()
    if not spi and not fields[7]() then return end
    local key = tostring(fields[1]()) .. tostring(fields[3]()) .. tostring(fields[2]()) .. tostring(fields[4]()) .. tostring(spi)
    local sa = seen[key] or { packets = 0, highest = 0, last = 0 }
    seen[key] = sa
    sa.packets, sa.last = sa.packets + 1, pinfo.abs_ts
    if sequence then sa.highest = math.max(sa.highest, sequence.value) end
end
register_postdissector(reader)
