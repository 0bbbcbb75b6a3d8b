// What users' JavaScript clients do with an Elasticsearch: prints one JSON object of what they got.
//
// usage: node checks.mjs MODULE_DIRECTORY URL
//
// What the facts have to be, tests/elastic/clients.rs says.
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(process.argv[2], 'here.js'))
const { Client } = require('@elastic/elasticsearch')
const client = new Client({ node: process.argv[3] })

const all = 'packetbeat-*'
const day = 'packetbeat-2024.10.27'
const edge = 'packetbeat-2024.02.29'
const icmp = { term: { type: 'icmp' } }
const facts = { client: require('@elastic/elasticsearch/package.json').version }

async function refused (call) {
  try {
    await call()
  } catch (error) {
    return [error.name, error.meta?.statusCode]
  }
  return ['nothing', 0]
}

facts.ping = await client.ping()
facts.info = (await client.info()).version.number
facts.health = (await client.cluster.health()).status
const found = await client.search({ index: all, query: icmp, size: 3, sort: ['event.id'] })
facts.search = found.hits.total.value
facts.search_ids = found.hits.hits.map(hit => hit._id)
const terms = await client.search({ index: all, size: 0, aggs: { t: { terms: { field: 'type' } } } })
facts.terms = Object.fromEntries(terms.aggregations.t.buckets.map(bucket => [bucket.key, bucket.doc_count]))
facts.count = (await client.count({ index: all })).count
facts.count_query = (await client.count({ index: all, query: icmp })).count
const several = await client.msearch({
  searches: [{ index: day }, { size: 0, track_total_hits: true }, { index: all }, { query: icmp, size: 0 }]
})
facts.msearch = several.responses.map(response => response.hits.total.value)
const scanned = []
for await (const page of client.helpers.scrollSearch({ index: all, size: 1500, _source: false })) {
  scanned.push(...page.body.hits.hits.map(hit => hit._id))
}
facts.scan = [scanned.length, new Set(scanned).size]
const documents = []
for await (const document of client.helpers.scrollDocuments({ index: all, query: icmp })) documents.push(document)
facts.scan_query = documents.length
const pit = (await client.openPointInTime({ index: day, keep_alive: '1m' })).id
const seen = []
let after
for (;;) {
  const page = await client.search({
    size: 300, sort: [{ '@timestamp': 'asc' }], pit: { id: pit, keep_alive: '1m' }, _source: false, search_after: after
  })
  if (page.hits.hits.length === 0) break
  seen.push(...page.hits.hits.map(hit => hit._id))
  after = page.hits.hits.at(-1).sort
}
facts.pit = [seen.length, new Set(seen).size]
facts.pit_closed = (await client.closePointInTime({ id: pit })).succeeded
const caps = (await client.fieldCaps({ index: all, fields: ['client.ip', 'type', 'request'] })).fields
facts.field_caps = Object.fromEntries(
  ['client.ip', 'type', 'request'].map(name => [name, Object.keys(caps[name]).sort()]))
facts.mapping = (await client.indices.getMapping({ index: day }))[day].mappings.properties.client.properties.ip.type
facts.exists = [await client.indices.exists({ index: day }), await client.indices.exists({ index: 'nothing' })]
facts.indices = Object.keys(await client.indices.get({ index: all })).sort()
facts.aliases = Object.keys(await client.indices.getAlias({ index: all })).length
facts.cat = (await client.cat.indices({ index: all, format: 'json' })).map(row => row.index).sort()
facts.cat_text = (await client.cat.indices({ index: all, h: 'index', format: 'text' })).trim().split(/\s+/).length
facts.cat_count = (await client.cat.count({ index: all, format: 'json' }))[0].count
facts.get = (await client.get({ index: edge, id: 'ed9e' + '0'.repeat(28) }))._source
facts.missing_document = await refused(() => client.get({ index: edge, id: 'nothing' }))
facts.missing_index = await refused(() => client.search({ index: 'nothing' }))
facts.wrong = await refused(() => client.search({ index: day, query: { no_such: {} } }))

console.log(JSON.stringify(facts))
