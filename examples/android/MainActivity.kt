// Samples of a kerasgan generator on an Android phone: tap for a new one. Not compiled here; see README.md.

package com.example.kerasgan

import android.app.Activity
import android.content.Context
import android.graphics.Bitmap
import android.graphics.Color
import android.graphics.drawable.BitmapDrawable
import android.os.Bundle
import android.widget.ImageView
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import java.util.Random
import java.util.concurrent.Executors
import kotlin.math.roundToInt
import org.json.JSONArray
import org.json.JSONObject

private const val MODEL = "dcgan_celeba.tflite" // in assets/, and its sidecar dcgan_celeba.tflite.json

class MainActivity : Activity() {
    private val worker = Executors.newSingleThreadExecutor() // the model is not for several threads at once
    private lateinit var generator: Generator
    private lateinit var picture: ImageView

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        picture = ImageView(this)
        picture.setOnClickListener { worker.execute(::showNew) }
        setContentView(picture)
        worker.execute {
            generator = Generator(this, MODEL)
            showNew()
        }
    }

    private fun showNew() {
        val label = generator.labels?.random()
        val bitmap = generator.generate(generator.drawLatents(), label)
        val sharp = BitmapDrawable(resources, bitmap).apply { isFilterBitmap = false } // pixels, not a blur
        runOnUiThread { picture.setImageDrawable(sharp) }
    }

    override fun onDestroy() {
        worker.execute { generator.close() }
        worker.shutdown()
        super.onDestroy()
    }
}

/** A generator of images from assets/, as its sidecar describes it. */
class Generator(context: Context, file: String) : AutoCloseable {
    private val sidecar = JSONObject(context.assets.open("$file.json").bufferedReader().use { it.readText() })
    private val inputs = sidecar.getJSONArray("inputs").objects().associateBy { it.getString("kind") }
    private val output = sidecar.getJSONObject("output")
    private val model = CompiledModel.create(context.assets, file, CompiledModel.Options(Accelerator.CPU))
    private val inputBuffers =
        inputs.values.map { it.getString("name") }.associateWith { model.createInputBuffer(it, SIGNATURE) }
    private val outputBuffer = model.createOutputBuffer(output.getString("name"), SIGNATURE)

    init {
        require(inputs.keys.all { it == "latents" || it == "labels" }) { "$file needs ${inputs.keys}" }
        require(output.getString("kind") == "image") { "$file makes ${output.getString("kind")}, not images" }
    }

    /** The classes it makes; null where it has none. */
    val labels: IntRange? = inputs["labels"]?.getJSONArray("range")?.let { it.getInt(0)..it.getInt(1) }

    /** Latents from the distribution that it was trained on. */
    fun drawLatents(random: Random = Random()): FloatArray {
        val latents = inputs.getValue("latents")
        val length = latents.getJSONArray("shape").getInt(1)
        if (latents.getString("distribution") == "normal") {
            return FloatArray(length) { random.nextGaussian().toFloat() }
        }
        val (low, high) = latents.getJSONArray("range").let { it.getDouble(0).toFloat() to it.getDouble(1).toFloat() }
        return FloatArray(length) { low + (high - low) * random.nextFloat() }
    }

    /** The image of these latents, and of a class where it has them. */
    fun generate(latents: FloatArray, label: Int? = null): Bitmap {
        inputBuffers.getValue(inputs.getValue("latents").getString("name")).writeFloat(latents)
        inputs["labels"]?.let {
            inputBuffers.getValue(it.getString("name")).writeInt(intArrayOf(label ?: labels!!.first))
        }
        model.run(inputBuffers, mapOf(output.getString("name") to outputBuffer), SIGNATURE)
        return bitmap(outputBuffer.readFloat())
    }

    /** Values in [0, 1], rows of pixels of 1 (grey), 3 (RGB) or 4 (RGBA) channels. */
    private fun bitmap(values: FloatArray): Bitmap {
        val shape = output.getJSONArray("shape") // 1, height, width, channels
        val (height, width, channels) = (1..3).map { shape.getInt(it) }
        fun level(index: Int) = (values[index].coerceIn(0f, 1f) * 255).roundToInt()
        val pixels = IntArray(height * width) {
            val first = it * channels
            if (channels == 1) {
                level(first).let { grey -> Color.rgb(grey, grey, grey) }
            } else {
                val alpha = if (channels == 4) level(first + 3) else 255
                Color.argb(alpha, level(first), level(first + 1), level(first + 2))
            }
        }
        return Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)
    }

    override fun close() {
        inputBuffers.values.forEach { it.close() }
        outputBuffer.close()
        model.close()
    }

    private companion object {
        const val SIGNATURE = "serving_default"

        fun JSONArray.objects() = (0 until length()).map { getJSONObject(it) }
    }
}
