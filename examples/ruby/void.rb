# Voids an order: quotation, submit, and after a lost answer the question whether it happened.
#   ruby void.rb BASE_URL ORDER_NO
require_relative 'atlas_postbooking'

def void(client, order)
  quote = client.call('voidQuotation', { orderNo: order }).data
  puts "comes back: #{quote['voidFareAmount'].values_at('estimatedRefundAmount', 'currency').join(' ')}"
  offer = quote['voidOfferId']
  begin
    puts "voided: #{client.call('void', { orderNo: order, voidOfferId: offer }).data['voidCode']}"
    return 0
  rescue AtlasPostbooking::OutcomeUnknown
    puts 'unknown: asking whether it happened'
  end
  5.times do
    listed = client.reply('queryVoidOrders', { orderNo: order }).data
    found = listed && listed['voidOrders'].to_a.find { |one| one['voidOfferId'] == offer }
    if found
      puts "it happened: #{found['voidCode']}"
      return 0
    end
    sleep 0.2
  end
  puts 'still unknown: nothing is sent again'
  3
end

base_url, order = ARGV
begin
  exit void(AtlasPostbooking::Client.new(baseUrl: base_url, clientId: 'demo', clientSecret: 'demo'), order)
rescue AtlasPostbooking::Error => e
  puts "not voided: #{e.message}"
  exit 1
end
