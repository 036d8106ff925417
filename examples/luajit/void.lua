-- Voids an order: quotation, submit, and after a lost answer the question whether it happened.
--   luajit void.lua BASE_URL ORDER_NO
package.path = (arg[0]:match '^(.*/)' or './') .. '?.lua;' .. package.path
local atlas = require 'atlas_postbooking'
local ffi = require 'ffi'

local function refused(why)
  print('not voided: ' .. tostring(why))
  os.exit(1)
end

local base_url, order = arg[1], arg[2]
local client, why = atlas.client(('{"baseUrl":"%s","clientId":"demo","clientSecret":"demo"}'):format(base_url))
if not client then refused(why) end
local this_order = ('{"orderNo":"%s"}'):format(order)
local quote
quote, why = client:call('voidQuotation', this_order)
if not quote then refused(why) end
local money = '/data/voidFareAmount/'
print('comes back: ' .. quote:get(money .. 'estimatedRefundAmount') .. ' ' .. quote:get(money .. 'currency'))
local offer = quote:get '/data/voidOfferId'
local done
done, why = client:call('void', ('{"orderNo":"%s","voidOfferId":"%s"}'):format(order, offer))
if done then
  print('voided: ' .. done:get '/data/voidCode')
  os.exit(0)
end
if why.outcome ~= 'unknown' then refused(why) end
print 'unknown: asking whether it happened'
for _ = 1, 5 do
  local listed = client:reply('queryVoidOrders', this_order)
  for i = 0, listed:count '/data/voidOrders' - 1 do
    if listed:get('/data/voidOrders/' .. i .. '/voidOfferId') == offer then
      print('it happened: ' .. listed:get('/data/voidOrders/' .. i .. '/voidCode'))
      os.exit(0)
    end
  end
  ffi.C.poll(nil, 0, 200)
end
print 'still unknown: nothing is sent again'
os.exit(3)
